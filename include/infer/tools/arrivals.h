#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Options of the times at which requests arrive.
struct ArrivalOptions {
  double qps = 10;                     ///< Requests per second.
  double seconds = 10;                 ///< How long requests arrive.
  std::optional<double> ramp_to = {};  ///< The rate at the end, reached linearly; empty: `qps`.
  bool poisson = false;    ///< Random times, like those of many independent users; else evenly spaced.
  std::string trace = {};  ///< CSV file to replay instead: seconds in its first column, in any order.
  std::uint64_t seed = 1;  ///< Seed of the random times: the same seed gives the same times.
};

/// Arrival times in seconds from the start, ascending.
///
/// If the rate changes, arrivals of rate 1 are mapped by the inverse of the rate's integral, which turns an
/// even process into an even one and a Poisson process into one of the changing rate (Cinlar, "Introduction
/// to Stochastic Processes", 1975, section 4.7). Not thread-safe.
class Arrivals {
 public:
  /// Returns the arrivals; reads the whole trace, if there is one.
  ///
  /// Errors: `kInvalidArgument` (less than one request; a trace without times), `kNotFound`.
  static Result<Arrivals> create(const ArrivalOptions& options);

  /// Returns the next arrival; empty after the last one.
  std::optional<double> next();

  /// Returns the mean number of requests per second; for a Poisson process the expected number.
  double mean_rate() const noexcept { return mean_rate_; }
  /// Returns the time of a trace's last arrival, else the given duration, in seconds.
  double seconds() const noexcept { return seconds_; }

 private:
  double time_of(double unit) const noexcept;

  std::vector<double> trace_;
  double first_rate_ = 0;
  double slope_ = 0;  // of the rate, per second
  double mean_rate_ = 0;
  double seconds_ = 0;
  bool poisson_ = false;
  bool replays_ = false;
  double unit_ = 0;  // arrivals of rate 1 so far
  std::size_t count_ = 0;
  std::mt19937_64 random_;
};

}  // namespace infer::inline v0::tools
