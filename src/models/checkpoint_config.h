#pragma once

#include <simdjson.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// One JSON object of a checkpoint: config.json and the files beside it. A key counts as understood once it
/// is read. Whoever builds a model reads what it obeys, names what changes no number, and asks `check` for
/// the rest, so that nothing that a checkpoint says is dropped in silence. A null counts as absent.
class CheckpointConfig {
 public:
  /// Errors: `kNotFound`; `kInvalidArgument` (not a JSON object; a Git LFS pointer).
  static Result<CheckpointConfig> read(const std::filesystem::path& file);

  /// An element of another one's that is an object; empty where it is none. Valid while that one is.
  static CheckpointConfig of(simdjson::dom::element value);

  const std::string& where() const noexcept { return where_; }
  bool has(std::string_view key) const;

  // Values; the first of several names that is there. What is of another kind is a problem for `check`.
  std::int64_t whole(std::initializer_list<std::string_view> names, std::int64_t otherwise,
                     std::int64_t least = 1, std::int64_t most = std::int64_t{1} << 20);
  double number(std::string_view name, double otherwise);
  /// A finite number from 0: what a normalisation adds to a variance.
  double epsilon(std::string_view name, double otherwise);
  std::string word(std::initializer_list<std::string_view> names, std::string otherwise);
  std::optional<bool> flag(std::string_view name);
  /// A list of strings, or one string.
  std::vector<std::string> words(std::string_view name);
  std::optional<simdjson::dom::element> value(std::string_view name);
  /// An object within this one; empty where there is none.
  CheckpointConfig part(std::string_view name);

  /// These keys change no number.
  void ignore(std::initializer_list<std::string_view> names);
  /// What Hugging Face writes into every config.json and no forward depends on.
  void ignore_common();
  /// This key may only have one of these values, in JSON.
  void expect(std::string_view name, std::initializer_list<std::string_view> values);
  /// Notes a problem of a key; `check` reports the first.
  void refuse(std::string_view key, const std::string& problem, ErrorCode code = ErrorCode::kUnimplemented);
  /// Errors: the first problem; `kUnimplemented` for keys that nobody has read, naming them.
  Result<void> check() const;

 private:
  const simdjson::dom::element* find(std::initializer_list<std::string_view> names, std::string_view& found);

  std::shared_ptr<simdjson::dom::parser> parser_;  // owns what the elements point to
  std::string where_;
  std::vector<std::pair<std::string_view, simdjson::dom::element>> fields_;
  std::set<std::string, std::less<>> understood_;
  std::optional<Error> problem_;
};

/// The error for a file that is a Git LFS pointer, where `bytes` begin as one.
Result<void> check_no_lfs_pointer(const std::filesystem::path& file, std::string_view bytes);

}  // namespace infer::inline v0
