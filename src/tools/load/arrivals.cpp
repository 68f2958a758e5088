#include "infer/tools/arrivals.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>

namespace infer::inline v0::tools {
namespace {

/// Reads the first column of `file`. A first line without a number is a header.
Result<std::vector<double>> read_trace(const std::string& file) {
  std::ifstream in(file);
  if (!in)
    return fail(ErrorCode::kNotFound, file + ": cannot be read: " + std::generic_category().message(errno));
  std::vector<double> times;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    double time = 0;
    const char* end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data(), end, time);
    const bool is_number = error == std::errc{} && (stop == end || *stop == ',' || *stop == '\r');
    if (!is_number && number == 1) continue;
    const auto where = file + ", line " + std::to_string(number) + ": ";
    if (!is_number || !std::isfinite(time) || time < 0)
      return fail(ErrorCode::kInvalidArgument, where + "the first column must be seconds, 0 or more");
    times.push_back(time);
  }
  if (times.empty()) return fail(ErrorCode::kInvalidArgument, file + ": contains no times");
  std::ranges::sort(times);  // traces in order of answers are not in order of sending
  return times;
}

}  // namespace

Result<Arrivals> Arrivals::create(const ArrivalOptions& options) {
  Arrivals arrivals;
  if (!options.trace.empty()) {
    auto times = read_trace(options.trace);
    if (!times) return Unexpected(times.error());
    arrivals.trace_ = *std::move(times);
    arrivals.replays_ = true;
    arrivals.seconds_ = std::max(arrivals.trace_.back(), 1e-3);
    arrivals.mean_rate_ = static_cast<double>(arrivals.trace_.size()) / arrivals.seconds_;
    return arrivals;
  }
  const double last_rate = options.ramp_to.value_or(options.qps);
  arrivals.first_rate_ = options.qps;
  arrivals.slope_ = (last_rate - options.qps) / options.seconds;
  arrivals.mean_rate_ = (options.qps + last_rate) / 2;
  arrivals.seconds_ = options.seconds;
  arrivals.poisson_ = options.poisson;
  arrivals.random_.seed(options.seed);
  if (std::llround(arrivals.mean_rate_ * options.seconds) == 0)
    return fail(ErrorCode::kInvalidArgument, "--qps x --seconds is less than one request");
  return arrivals;
}

std::optional<double> Arrivals::next() {
  if (replays_) return count_ < trace_.size() ? std::optional(trace_[count_++]) : std::nullopt;
  if (poisson_) {
    unit_ += std::exponential_distribution<>(1)(random_);
  } else {
    unit_ = static_cast<double>(count_);
    if (count_ >= static_cast<std::size_t>(std::llround(mean_rate_ * seconds_))) return std::nullopt;
  }
  ++count_;
  const double time = time_of(unit_);
  return time <= seconds_ ? std::optional(time) : std::nullopt;
}

/// Solves first_rate t + slope t^2 / 2 = unit for t.
double Arrivals::time_of(double unit) const noexcept {
  if (slope_ == 0) return unit / first_rate_;
  const double inside = first_rate_ * first_rate_ + 2 * slope_ * unit;
  return inside < 0 ? INFINITY : 2 * unit / (first_rate_ + std::sqrt(inside));
}

}  // namespace infer::inline v0::tools
