#pragma once

#include <charconv>
#include <string>

namespace infer::inline v0 {

/// Formats a number with as many digits as tell it from its neighbours: reading it gives the same number, and
/// a value just outside its limits does not look like the limit.
inline std::string number_text(double value) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace infer::inline v0
