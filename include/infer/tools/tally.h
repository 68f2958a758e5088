#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/tools/latency_histogram.h"

namespace infer::inline v0::tools {

/// The outcome of one request. Times are in seconds from the start of the run.
struct Outcome {
  double due = 0;       ///< When the request was due.
  double sent = 0;      ///< When it was sent.
  double answered = 0;  ///< When its answer was complete, or when it failed.
  std::string what;     ///< The status, or what went wrong.
  bool ok = false;      ///< Whether it succeeded.
};

/// The outcomes of a run so far.
///
/// Thread-safe, except where a function says otherwise.
class Tally {
 public:
  /// The sums over all requests.
  struct Counts {
    std::size_t ok = 0;                           ///< Requests that succeeded.
    std::size_t failed = 0;                       ///< Requests that failed or were not sent.
    std::map<std::string, std::size_t> outcomes;  ///< Requests by `Outcome::what`.
    /// Latencies of successful requests, measured from when each request was due, so that a stalled server
    /// counts fully.
    LatencyHistogram from_due;
    LatencyHistogram from_sent;  ///< Latencies from when each request was sent.
  };
  /// A part of the run. Requests belong to the part in which they were due.
  struct Slice {
    std::size_t ok = 0;      ///< Requests that succeeded.
    std::size_t failed = 0;  ///< Requests that failed.
    LatencyHistogram times;  ///< Latencies of successful requests, from when each was due.
  };

  /// Makes a tally for a run of so many seconds.
  explicit Tally(double seconds);

  /// Also writes a line for each request to `csv` during the run: due_s, sent_s, answered_s, outcome. Call
  /// this before the first `add`.
  ///
  /// Errors: `kInvalidArgument` (the file cannot be written).
  Result<void> write_to(const std::string& csv);

  /// Counts a request.
  void add(const Outcome& outcome);

  /// Returns the sums so far.
  Counts counts() const;
  /// Returns the parts of the run, at most 201. Call this after the last `add`.
  const std::vector<Slice>& slices() const noexcept { return slices_; }
  /// Returns the length of a part in seconds: 1 or more.
  double slice_seconds() const noexcept { return slice_seconds_; }
  /// Closes the CSV file, if any, and returns whether everything was written. Call this after the last
  /// `add`.
  bool close_csv();

 private:
  mutable std::mutex mutex_;
  Counts counts_;
  double slice_seconds_;
  std::vector<Slice> slices_;
  std::ofstream csv_;
};

}  // namespace infer::inline v0::tools
