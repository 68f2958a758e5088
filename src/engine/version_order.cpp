#include "version_order.h"

#include <algorithm>
#include <cstddef>

namespace infer::inline v0 {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Removes the digits at the start of `text` and returns them without leading zeros.
std::string_view take_number(std::string_view& text) {
  const auto end =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

/// Compares numbers of any length; returns a value below, equal to or above 0.
int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

/// Compares text by its characters, and numbers in the text by their values.
int compare_names(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      if (const int order = compare_numbers(take_number(a), take_number(b)); order != 0) return order;
    } else if (a.front() != b.front()) {
      return a.front() < b.front() ? -1 : 1;
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

/// Removes a dot that is followed by a digit.
bool take_dot(std::string_view& text) {
  if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) return false;
  text.remove_prefix(1);
  return true;
}

int compare(std::string_view a, std::string_view b) {
  const bool numbers = is_digit(a.front());
  if (numbers != is_digit(b.front())) return numbers ? 1 : -1;
  if (!numbers) {
    if (a.starts_with(b) && a.substr(b.size()).starts_with('-')) return -1;
    if (b.starts_with(a) && b.substr(a.size()).starts_with('-')) return 1;
    return compare_names(a, b);
  }
  while (true) {
    if (const int order = compare_numbers(take_number(a), take_number(b)); order != 0) return order;
    const bool more = take_dot(a);
    if (more != take_dot(b)) return more ? 1 : -1;
    if (!more) break;
  }
  if (a.empty() || b.empty()) return static_cast<int>(a.empty()) - static_cast<int>(b.empty());
  return compare_names(a, b);
}

}  // namespace

bool version_before(std::string_view a, std::string_view b) noexcept {
  if (a.empty() || b.empty()) return a.empty() && !b.empty();
  const int order = compare(a, b);
  return order != 0 ? order < 0 : a < b;  // 01 and 1 are equal as numbers but different folders
}

}  // namespace infer::inline v0
