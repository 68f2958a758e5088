#pragma once

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::cli {

/// When requests arrive.
struct ArrivalOptions {
  double qps = 10;
  double seconds = 10;
  std::optional<double> ramp_to = {};  ///< The rate at the end, reached evenly; constant if not given.
  bool poisson = false;    ///< Independent of each other, as those of many users are; else evenly.
  std::string trace = {};  ///< CSV file to replay instead: seconds in its first column, in any order.
  std::uint64_t seed = 1;
};

/// Arrival times in seconds from the start, ascending. Not thread-safe.
///
/// Where the rate changes, arrivals of rate 1 are put through the inverse of the rate's integral, which makes
/// of an even process an even one and of a Poisson process one of the changing rate (Cinlar, "Introduction to
/// Stochastic Processes", 1975, section 4.7).
class Arrivals {
 public:
  /// Errors: `kInvalidArgument` (less than one request; a trace without times), `kNotFound`.
  static Result<Arrivals> create(const ArrivalOptions& options);

  /// The next one; nothing after the last.
  std::optional<double> next();

  /// Requests a second, over all of it; of a Poisson process the expected ones.
  double mean_rate() const noexcept { return mean_rate_; }
  /// Seconds until the last, or until the given end.
  double seconds() const noexcept { return seconds_; }

 private:
  double time_of(double unit) const noexcept;

  std::vector<double> trace_;
  double first_rate_ = 0;
  double slope_ = 0;  // of the rate, a second
  double mean_rate_ = 0;
  double seconds_ = 0;
  bool poisson_ = false;
  bool replays_ = false;
  double unit_ = 0;  // arrivals of rate 1 so far
  std::size_t count_ = 0;
  std::mt19937_64 random_;
};

}  // namespace infer::cli
