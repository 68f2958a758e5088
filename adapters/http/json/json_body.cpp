#include "json/json_body.h"

#include <algorithm>

#include "infer/core/invalid.h"
#include "json/json_error.h"

namespace infer::http {
Unexpected not_json(simdjson::error_code error, std::string_view text) {
  if (error == simdjson::MEMALLOC) return Unexpected(out_of_memory());
  const std::string found = json_error(text);
  return invalid("body: is not JSON: " + (found.empty() ? simdjson::error_message(error) : found));
}

Result<void> check_keys(const simdjson::dom::object& object) {
  constexpr std::size_t kMostKeys = 64;
  std::size_t seen = 0;
  for (const auto& [key, value] : object) {
    std::size_t before = 0;
    for (auto other = object.begin(); before < seen; ++other, ++before) {
      if (other.key() == key)
        return invalid("body: the key '" + std::string(key.substr(0, 64)) + "' appears twice");
    }
    if (++seen > kMostKeys)
      return invalid("body: has more than " + std::to_string(kMostKeys) + " keys", ErrorDetail::kTooLarge);
  }
  return {};
}

Result<void> charge_json(const Exchange& exchange, std::string_view text, std::size_t made_of_value) {
  if (!exchange.request.charge) return {};
  // simdjson stores two words of tape and two index entries for each value, and a copy of all strings. A
  // comma, colon or bracket begins each value.
  constexpr std::size_t kBytesPerValue = 24;
  const auto begins_value = [](char c) { return c == ',' || c == ':' || c == '[' || c == '{'; };
  const auto values = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_value));
  return exchange.request.charge(text.size() + (kBytesPerValue + made_of_value) * values);
}

Result<void> JsonBody::parse(const Body& body) {
  if (body.empty()) return invalid("body: is empty, expected a JSON object");
  static_assert(Body::kPadding >= simdjson::SIMDJSON_PADDING);
  simdjson::dom::element root;
  if (const auto error = parser_.parse(body.data(), body.size(), false).get(root))
    return not_json(error, body.text());
  if (root.get(root_)) return invalid("body: must be a JSON object");
  return check_keys(root_);
}

Result<void> JsonBody::parse(const Exchange& exchange) {
  if (auto charged = charge_json(exchange, exchange.request.body.text()); !charged) return charged;
  return parse(exchange.request.body);
}

const simdjson::dom::element* JsonBody::find(std::string_view key) {
  if (root_.at_key(key).get(found_) || found_.is_null()) return nullptr;
  return &found_;
}

Result<void> JsonBody::read(std::string_view key, bool& out) { return read(key, out, "true or false"); }
Result<void> JsonBody::read(std::string_view key, double& out) { return read(key, out, "a number"); }

template <class T>
Result<void> JsonBody::read(std::string_view key, T& out, const char* what) {
  const auto* value = find(key);
  if (value != nullptr && value->get(out)) return invalid(std::string(key) + ": must be " + what);
  return {};
}

Result<void> JsonBody::read(std::string_view key, std::string& out) {
  std::string_view text = out;
  if (auto done = read(key, text, "a string"); !done) return done;
  out = std::string(text);
  return {};
}

Result<void> JsonBody::read(std::string_view key, std::size_t& out, std::size_t low, std::size_t high) {
  const auto* value = find(key);
  if (value == nullptr) return {};
  std::uint64_t number = 0;
  if (value->get(number) || number < low || number > high) {
    return invalid(std::string(key) + ": must be a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high));
  }
  out = static_cast<std::size_t>(number);
  return {};
}

Result<std::vector<std::string_view>> read_texts(const simdjson::dom::element& value,
                                                 const std::string& field, std::size_t limit) {
  std::string_view one;
  if (!value.get(one)) return std::vector<std::string_view>{one};
  simdjson::dom::array list;
  if (value.get(list)) return invalid(field + ": must be a string or a list of strings");
  std::vector<std::string_view> texts;
  for (const simdjson::dom::element item : list) {
    if (item.get(one)) return invalid(field + "[" + std::to_string(texts.size()) + "]: must be a string");
    if (texts.size() == limit)
      return invalid(field + ": more than max_texts " + std::to_string(limit), ErrorDetail::kTooLarge);
    texts.push_back(one);
  }
  if (texts.empty()) return invalid(field + ": is empty, at least 1 is needed");
  return texts;
}

}  // namespace infer::http
