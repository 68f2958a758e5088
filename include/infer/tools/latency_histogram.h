#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace infer::inline v0::tools {

/// Counts times on a log-linear scale: 64 equal steps in each power of two of microseconds.
///
/// A percentile has an error of at most 1.6 %, from 1 us to 19 hours, in 17 KiB. The idea is from
/// HdrHistogram (G. Tene). Not thread-safe.
class LatencyHistogram {
 public:
  /// Counts a time, in seconds.
  void add(double seconds) {
    const double us = seconds * 1e6;
    const auto value = us < 1        ? std::uint64_t{0}
                       : us > 6.8e10 ? std::uint64_t{68'000'000'000}
                                     : static_cast<std::uint64_t>(us);
    ++counts_[slot(value)];
    ++total_;
    if (seconds > largest_) largest_ = seconds;
  }

  /// Adds the counts of `other`.
  void merge(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    if (other.largest_ > largest_) largest_ = other.largest_;
  }

  /// Returns the number of times.
  std::uint64_t count() const noexcept { return total_; }
  /// Returns the longest time, in seconds; 0 without times.
  double max() const noexcept { return largest_; }

  /// Returns the seconds that `fraction` of the times do not exceed; 0 without times.
  double percentile(double fraction) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted && seen > 0) return std::min(upper(i) * 1e-6, largest_);
    }
    return 0;
  }

 private:
  static constexpr std::size_t kSteps = 64;
  static constexpr std::size_t kOctaves = 32;

  /// Below 64 us, each microsecond has a slot. Above, the highest bit selects the octave and the next six
  /// bits select the step.
  static std::size_t slot(std::uint64_t us) {
    if (us < kSteps) return us;
    const auto shift = static_cast<std::size_t>(std::bit_width(us)) - 7;
    return std::min((shift + 1) * kSteps + ((us >> shift) - kSteps), kSteps * kOctaves - 1);
  }
  static double upper(std::size_t slot) {
    if (slot < kSteps) return static_cast<double>(slot + 1);
    const std::size_t shift = slot / kSteps - 1;
    return static_cast<double>((slot % kSteps + kSteps + 1) << shift);
  }

  std::array<std::uint64_t, kSteps * kOctaves> counts_{};
  std::uint64_t total_ = 0;
  double largest_ = 0;
};

}  // namespace infer::inline v0::tools
