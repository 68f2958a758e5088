#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/exchange.h"
#include "infer/core/result.h"
#include "message/body.h"

namespace infer::http {

/// A request's body as a JSON object. Values that were read from it are valid as long as this object.
class JsonBody {
 public:
  /// Errors: `kInvalidArgument`, with the place of the syntax error and the text there.
  Result<void> parse(const Body& body);
  /// Parses the body of a request, and charges the memory that parsing needs. Errors also: those of
  /// `charge_json`.
  Result<void> parse(const Exchange& exchange);

  /// Returns null if the key is missing or its value is null.
  const simdjson::dom::element* find(std::string_view key);
  /// Errors: `kInvalidArgument`, naming the key. A missing key does not change `out`.
  Result<void> read(std::string_view key, bool& out);
  Result<void> read(std::string_view key, std::string& out);
  Result<void> read(std::string_view key, double& out);
  /// Reads a whole number from `low` to `high`.
  Result<void> read(std::string_view key, std::size_t& out, std::size_t low, std::size_t high);

 private:
  template <class T>
  Result<void> read(std::string_view key, T& out, const char* what);

  simdjson::dom::parser parser_;
  simdjson::dom::object root_;
  simdjson::dom::element found_;
};

/// Returns the error for a text that simdjson could not parse: invalid JSON, or no memory.
Unexpected not_json(simdjson::error_code error, std::string_view text);

/// Refuses duplicate keys, because programs differ in which of two values counts, and objects with far too
/// many keys. Errors: `kInvalidArgument`, naming the key.
Result<void> check_keys(const simdjson::dom::object& object);

/// Charges the memory that simdjson needs to parse `text` to the budget of all requests: many small values
/// need several times the text's size. Adds `made_of_value` bytes for each value, for what the caller makes
/// of the values. Errors: `kOverloaded`; `kTooLarge` for an amount that can never fit.
Result<void> charge_json(const Exchange& exchange, std::string_view text, std::size_t made_of_value = 0);

/// Reads a string, or a list of 1 to `limit` strings. Errors: `kInvalidArgument`, naming `field`.
Result<std::vector<std::string_view>> read_texts(const simdjson::dom::element& value,
                                                 const std::string& field, std::size_t limit);

}  // namespace infer::http
