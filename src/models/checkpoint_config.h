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
/// is read. An importer reads the keys that it follows, ignores the keys that change no number, and calls
/// `check`, which refuses all other keys, so that no setting of a checkpoint is silently dropped. A null
/// counts as absent.
class CheckpointConfig {
 public:
  /// Errors: `kNotFound`; `kInvalidArgument` (not a JSON object; a Git LFS pointer).
  static Result<CheckpointConfig> read(const std::filesystem::path& file);

  /// Makes a config of an element within another config; empty if the element is not an object. Valid as long
  /// as the other config.
  static CheckpointConfig of(simdjson::dom::element value);

  const std::string& where() const noexcept { return where_; }
  bool has(std::string_view key) const;

  // Return the value of the first of several names that exists. `check` reports a value of the wrong type.
  std::int64_t whole(std::initializer_list<std::string_view> names, std::int64_t otherwise,
                     std::int64_t least = 1, std::int64_t most = std::int64_t{1} << 20);
  double number(std::string_view name, double otherwise);
  /// Returns a finite number of at least 0, which a normalisation adds to a variance.
  double epsilon(std::string_view name, double otherwise);
  std::string word(std::initializer_list<std::string_view> names, std::string otherwise);
  std::optional<bool> flag(std::string_view name);
  /// Returns a list of strings, which may also be written as one string.
  std::vector<std::string> words(std::string_view name);
  std::optional<simdjson::dom::element> value(std::string_view name);
  /// Returns an object within this one; empty if there is none.
  CheckpointConfig part(std::string_view name);

  /// Marks keys as understood that do not change the model's numbers.
  void ignore(std::initializer_list<std::string_view> names);
  /// Ignores the keys that Hugging Face writes into every config.json and that no forward depends on.
  void ignore_common();
  /// Notes a problem unless the key is absent or has one of these values, written as JSON.
  void expect(std::string_view name, std::initializer_list<std::string_view> values);
  /// Notes a problem of a key; `check` reports the first.
  void refuse(std::string_view key, const std::string& problem, ErrorCode code = ErrorCode::kUnimplemented);
  /// Errors: the first problem; `kUnimplemented` for keys that were not read, naming them.
  Result<void> check() const;

 private:
  const simdjson::dom::element* find(std::initializer_list<std::string_view> names, std::string_view& found);

  std::shared_ptr<simdjson::dom::parser> parser_;  // owns what the elements point to
  std::string where_;
  std::vector<std::pair<std::string_view, simdjson::dom::element>> fields_;
  std::set<std::string, std::less<>> understood_;
  std::optional<Error> problem_;
};

/// Errors: `kInvalidArgument` if `bytes` begin as a Git LFS pointer.
Result<void> check_no_lfs_pointer(const std::filesystem::path& file, std::string_view bytes);

}  // namespace infer::inline v0
