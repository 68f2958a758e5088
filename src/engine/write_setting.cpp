#include "write_setting.h"

#include <chrono>
#include <type_traits>

namespace infer::inline v0 {

void write_setting(JsonWriter& json, const Setting& setting, const PartialSettings& settings) {
  json.key(setting.name);
  std::visit(
      [&](const auto& kept) {
        using Value = typename std::remove_reference_t<decltype(settings.*kept.member)>::value_type;
        const Value& value = (settings.*kept.member).value();
        if constexpr (std::is_same_v<Value, std::vector<std::size_t>>) {
          json.list(value);
        } else if constexpr (std::is_same_v<Value, Warmup>) {
          json.value(setting_text(setting, settings));
        } else if constexpr (std::is_same_v<Value, std::size_t>) {
          json.value(value);
        } else {
          json.value(std::chrono::duration<double, std::milli>(value).count());
        }
      },
      setting.value);
}

}  // namespace infer::inline v0
