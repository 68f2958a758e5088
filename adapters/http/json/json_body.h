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

/// A request's body as a JSON object; what is read from it lives as long as this does.
class JsonBody {
 public:
  /// Errors: `kInvalidArgument`, saying where it is no JSON and what stands there.
  Result<void> parse(const Body& body);
  /// The same for the body of a request, charged with what reading it takes. Errors also: of `charge_json`.
  Result<void> parse(const Exchange& exchange);

  /// Null where the key is missing or its value is null.
  const simdjson::dom::element* find(std::string_view key);
  /// Errors: `kInvalidArgument`, naming the key. A missing key leaves `out` as it is.
  Result<void> read(std::string_view key, bool& out);
  Result<void> read(std::string_view key, std::string& out);
  Result<void> read(std::string_view key, double& out);
  /// A whole number from `low` to `high`.
  Result<void> read(std::string_view key, std::size_t& out, std::size_t low, std::size_t high);

 private:
  template <class T>
  Result<void> read(std::string_view key, T& out, const char* what);

  simdjson::dom::parser parser_;
  simdjson::dom::object root_;
  simdjson::dom::element found_;
};

/// The error for a text that simdjson does not read: it is none, or there is no memory for it.
Unexpected not_json(simdjson::error_code error, std::string_view text);

/// Refuses an object in which a key is there twice, since readers differ in which of the two counts, or that
/// has more keys than any request. Errors: `kInvalidArgument`, naming the key.
Result<void> check_keys(const simdjson::dom::object& object);

/// Charges what simdjson needs to read `text`, several times its size where it is of many small values, to
/// the bytes that requests may hold; and `made_of_value` bytes for each value, for what is made of it.
/// Errors: `kOverloaded`; `kTooLarge` for what can never fit.
Result<void> charge_json(const Exchange& exchange, std::string_view text, std::size_t made_of_value = 0);

/// A string, or a list of 1 to `limit` of them. Errors: `kInvalidArgument`, naming `field`.
Result<std::vector<std::string_view>> read_texts(const simdjson::dom::element& value,
                                                 const std::string& field, std::size_t limit);

}  // namespace infer::http
