#include "read_setting.h"

#include <chrono>
#include <cmath>
#include <type_traits>
#include <utility>

#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

using simdjson::dom::element;

/// Reads a time in milliseconds, which may have a fraction.
template <class Time>
Result<Time> read_time(const Setting& setting, element value, const std::string& name) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const auto whole = [](std::int64_t limit) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Time(limit)).count();
  };
  double given = 0;
  if (value.get(given) != simdjson::SUCCESS || !(given >= static_cast<double>(whole(setting.least)) &&
                                                 given <= static_cast<double>(whole(setting.greatest)))) {
    return invalid(name + ": '" + simdjson::minify(value) + "' is not a number of milliseconds from " +
                   std::to_string(whole(setting.least)) + " to " + std::to_string(whole(setting.greatest)));
  }
  return Time(std::llround(Milliseconds(given) / Milliseconds(Time(1))));
}

}  // namespace

Result<void> read_setting(const Setting& setting, element value, const std::string& name,
                          PartialSettings& settings) {
  const auto bad = [&](const char* what) { return invalid(name + ": " + what); };
  std::string text = simdjson::minify(value);
  return std::visit(
      [&](const auto& kept) -> Result<void> {
        using Value = typename std::remove_reference_t<decltype(settings.*kept.member)>::value_type;
        if constexpr (std::is_same_v<Value, std::vector<std::size_t>>) {
          if (!value.is_array()) return bad("must be a list of whole numbers");
          text = text.substr(1, text.size() - 2);  // without brackets: numbers separated by commas
        } else if constexpr (std::is_same_v<Value, Warmup>) {
          std::string_view word;
          if (value.get(word) != simdjson::SUCCESS) return bad("must be a string");
          text = word;
        } else if constexpr (!std::is_same_v<Value, std::size_t>) {
          auto time = read_time<Value>(setting, value, name);
          if (!time) return Unexpected(time.error());
          settings.*kept.member = *time;
          return {};
        }
        return set_setting(setting, settings, name, text);
      },
      setting.value);
}

}  // namespace infer::inline v0
