#pragma once

#include <algorithm>
#include <string_view>

namespace infer::inline v0 {

/// Returns true if models, versions and backends may have this name: [A-Za-z0-9._-]{1,64}, but not "." or
/// "..".
inline bool valid_name(std::string_view name) {
  constexpr std::string_view kPunctuation = "._-";
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kPunctuation.find(c) != std::string_view::npos;
         });
}

}  // namespace infer::inline v0
