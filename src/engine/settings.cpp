#include "infer/engine/settings.h"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

using Sizes = std::vector<std::size_t>;

constexpr std::array<std::string_view, 3> kWarmups{"none", "default", "full"};

std::string joined(const Sizes& sizes) {
  std::string all;
  for (const std::size_t size : sizes) all += (all.empty() ? "" : ",") + std::to_string(size);
  return all;
}

Result<Sizes> parse_sizes(const Setting& setting, const std::string& name, const std::string& text) {
  Sizes sizes;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    auto size = parse_whole_number(name, text.substr(at, comma - at), setting.least, setting.greatest);
    if (!size) return Unexpected(size.error());
    sizes.push_back(static_cast<std::size_t>(*size));
    at = comma + 1;
  }
  if (!std::is_sorted(sizes.begin(), sizes.end()))
    return invalid(name + ": '" + text + "': the numbers must be ascending");
  return sizes;
}

Result<Warmup> parse_warmup(const std::string& name, const std::string& text) {
  const auto found = std::find(kWarmups.begin(), kWarmups.end(), text);
  if (found != kWarmups.end()) return static_cast<Warmup>(found - kWarmups.begin());
  return invalid(name + ": '" + text + "' is not one of none, default, full");
}

}  // namespace

Result<std::int64_t> parse_whole_number(const std::string& name, const std::string& text, std::int64_t least,
                                        std::int64_t greatest) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < least || value > greatest) {
    return invalid(name + ": '" + text + "' is not a whole number from " + std::to_string(least) + " to " +
                   std::to_string(greatest));
  }
  return value;
}

Result<Warmup> parse_warmup(const std::string& name) { return parse_warmup("warmup", name); }

PartialSettings merge(const PartialSettings& first, const PartialSettings& second) {
  PartialSettings merged = first;
  for (const Setting& setting : kSettings) {
    std::visit(
        [&](const auto& kept) {
          if (!(merged.*kept.member)) merged.*kept.member = second.*kept.member;
        },
        setting.value);
  }
  const bool plans = first.workers.value_or(0) != 0 || first.intra_op_threads.value_or(0) != 0;
  merged.workers = (plans ? first : second).workers;
  merged.intra_op_threads = (plans ? first : second).intra_op_threads;
  return merged;
}

Result<void> set_setting(const Setting& setting, PartialSettings& settings, const std::string& name,
                         const std::string& text) {
  return std::visit(
      [&](const auto& kept) -> Result<void> {
        using Value = typename std::remove_reference_t<decltype(settings.*kept.member)>::value_type;
        if constexpr (std::is_same_v<Value, Sizes>) {
          auto sizes = parse_sizes(setting, name, text);
          if (!sizes) return Unexpected(sizes.error());
          settings.*kept.member = *std::move(sizes);
        } else if constexpr (std::is_same_v<Value, Warmup>) {
          auto warmup = parse_warmup(name, text);
          if (!warmup) return Unexpected(warmup.error());
          settings.*kept.member = *warmup;
        } else {
          auto value = parse_whole_number(name, text, setting.least, setting.greatest);
          if (!value) return Unexpected(value.error());
          settings.*kept.member = Value(*value);
        }
        return {};
      },
      setting.value);
}

bool has_setting(const Setting& setting, const PartialSettings& settings) {
  return std::visit([&](const auto& kept) { return (settings.*kept.member).has_value(); }, setting.value);
}

std::string setting_text(const Setting& setting, const PartialSettings& settings) {
  return std::visit(
      [&](const auto& kept) -> std::string {
        using Value = typename std::remove_reference_t<decltype(settings.*kept.member)>::value_type;
        const auto& value = settings.*kept.member;
        if (!value) return "";
        if constexpr (std::is_same_v<Value, Sizes>) {
          return joined(*value);
        } else if constexpr (std::is_same_v<Value, Warmup>) {
          return std::string(kWarmups[static_cast<std::size_t>(*value)]);
        } else if constexpr (std::is_same_v<Value, std::size_t>) {
          return std::to_string(*value);
        } else {
          return std::to_string(value->count());
        }
      },
      setting.value);
}

std::string setting_values(const Setting& setting) {
  if (std::holds_alternative<Setting::Kept<Warmup>>(setting.value)) {
    return "none, default, full";
  }
  const bool is_list = std::holds_alternative<Setting::Kept<Sizes>>(setting.value);
  return std::string(is_list ? "each " : "") + std::to_string(setting.least) + " to " +
         std::to_string(setting.greatest);
}

}  // namespace infer::inline v0
