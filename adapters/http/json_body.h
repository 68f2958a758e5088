#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "body.h"
#include "infer/core/result.h"

namespace infer::http {

/// A request's body as a JSON object; what is read from it lives as long as this does.
class JsonBody {
 public:
  /// Errors: `kInvalidArgument`.
  Result<void> parse(const Body& body);

  /// Null where the key is missing or its value is null.
  const simdjson::dom::element* find(std::string_view key);
  /// Errors: `kInvalidArgument`, naming the key. A missing key leaves `out` as it is.
  Result<void> read(std::string_view key, bool& out);
  Result<void> read(std::string_view key, std::string& out);
  Result<void> read(std::string_view key, double& out);
  /// A whole number from `low` to `high`.
  Result<void> read(std::string_view key, std::size_t& out, std::size_t low, std::size_t high);

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::object root_;
  simdjson::dom::element found_;
};

/// The error for a text that simdjson does not read: it is none, or there is no memory for it.
Unexpected not_json(simdjson::error_code error);

/// A string, or a list of 1 to `limit` of them. Errors: `kInvalidArgument`, naming `field`.
Result<std::vector<std::string_view>> read_texts(const simdjson::dom::element& value,
                                                 const std::string& field, std::size_t limit);

}  // namespace infer::http
