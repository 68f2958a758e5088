#pragma once

#include <algorithm>
#include <string_view>

namespace infer::inline v0 {

/// Whether a model or a version may be called so: it is a folder, a part of URLs, and a label of metrics.
inline bool valid_name(std::string_view name) noexcept {
  constexpr std::string_view kPunctuation = "._-";
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kPunctuation.find(c) != std::string_view::npos;
         });
}

}  // namespace infer::inline v0
