#pragma once

#include <string_view>

namespace infer::inline v0 {

/// Whether version `a` comes before `b`, as people count: numbers by their value, 9 before 10 and 1.9 before
/// 1.10; what is added after a dash comes before what it is added to, 1-int8 before 1, as in Semantic
/// Versioning; names that begin with no number come before those that do.
bool version_before(std::string_view a, std::string_view b) noexcept;

}  // namespace infer::inline v0
