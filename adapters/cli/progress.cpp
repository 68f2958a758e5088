#include "progress.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

namespace infer::cli {

using std::chrono::milliseconds;

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  std::array<char, 32> out{};
  if (whole >= 3600) {
    std::snprintf(out.data(), out.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(out.data(), out.size(), "%lld:%02lld", whole / 60, whole % 60);
  }
  return out.data();
}

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string counted(std::size_t number, const char* one, const char* several) {
  return grouped(number) + ' ' + (number == 1 ? one : several);
}

Progress::Progress(std::string unit, std::optional<std::size_t> total)
    : unit_(std::move(unit)), total_(total), terminal_(isatty(STDERR_FILENO) == 1) {
  next_ = start_ + (terminal_ ? milliseconds(200) : milliseconds(10'000));
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string Progress::line(std::size_t done, std::size_t failed) const {
  const double elapsed = seconds();
  const double rate = elapsed > 0 ? static_cast<double>(done) / elapsed : 0;
  std::array<char, 64> number{};
  std::snprintf(number.data(), number.size(), "%.1f/s", rate);
  std::string out = grouped(done);
  if (total_) out += "/" + grouped(*total_);
  out += " " + unit_ + "  " + number.data();
  if (failed > 0) out += "  " + grouped(failed) + " skipped";
  if (total_ && rate > 0 && *total_ > done + failed) {
    out += "  " + clock_text(static_cast<double>(*total_ - done - failed) / rate) + " left";
  }
  return out;
}

void Progress::update(std::size_t done, std::size_t failed) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? milliseconds(200) : milliseconds(10'000));
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line(done, failed).c_str());
  shown_ = true;
}

void Progress::clear() {
  if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

}  // namespace infer::cli
