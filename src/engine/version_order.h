#pragma once

#include <string_view>

namespace infer::inline v0 {

/// Returns true if version `a` comes before `b`. Numbers compare by value: 9 before 10, 1.9 before 1.10. A
/// name with a suffix after a dash comes before the name without it, as in Semantic Versioning: 1-int8 before
/// 1. Names that do not begin with a number come before names that do.
bool version_before(std::string_view a, std::string_view b) noexcept;

}  // namespace infer::inline v0
