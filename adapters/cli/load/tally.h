#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iomanip>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "latency_histogram.h"

namespace infer::cli {

/// What became of one request; times in seconds from the start of the run.
struct Outcome {
  double due = 0;
  double sent = 0;
  double answered = 0;
  std::string what;  ///< The status, or what went wrong.
  bool ok = false;
};

/// What came back so far. Thread-safe.
class Tally {
 public:
  struct Counts {
    std::size_t ok = 0;
    std::size_t failed = 0;
    std::map<std::string, std::size_t> outcomes;
    LatencyHistogram from_due;   ///< Of those that succeeded: a server that stalls cannot slow this down.
    LatencyHistogram from_sent;  ///< What a client that waits for each answer would have seen.
  };
  /// One part of the run, by when its requests were due.
  struct Slice {
    std::size_t ok = 0;
    std::size_t failed = 0;
    LatencyHistogram times;
  };

  /// For a run of `seconds`; `csv` is written while it runs, unless empty. Errors: `kInvalidArgument`.
  explicit Tally(double seconds)
      : slice_seconds_(std::max(1.0, seconds / kSlices)),
        slices_(static_cast<std::size_t>(seconds / slice_seconds_) + 1) {}

  Result<void> write_to(const std::string& csv) {
    csv_.open(csv, std::ios::binary);
    csv_ << std::fixed << std::setprecision(6) << "due_s,sent_s,answered_s,outcome\n";
    if (!csv_.flush()) return fail(ErrorCode::kInvalidArgument, "--csv: " + csv + ": cannot be written");
    return {};
  }

  void add(const Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    ++counts_.outcomes[outcome.what];
    Slice& slice =
        slices_[std::min(slices_.size() - 1, static_cast<std::size_t>(outcome.due / slice_seconds_))];
    ++(outcome.ok ? counts_.ok : counts_.failed);
    ++(outcome.ok ? slice.ok : slice.failed);
    if (outcome.ok) {
      counts_.from_due.add(outcome.answered - outcome.due);
      counts_.from_sent.add(outcome.answered - outcome.sent);
      slice.times.add(outcome.answered - outcome.due);
    }
    if (csv_.is_open()) {
      csv_ << outcome.due << ',' << outcome.sent << ',' << outcome.answered << ",\"" << outcome.what
           << "\"\n";
    }
  }

  Counts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  /// Once nothing is added any more.
  const std::vector<Slice>& slices() const noexcept { return slices_; }
  double slice_seconds() const noexcept { return slice_seconds_; }
  /// Whether everything could be written.
  bool close_csv() {
    if (!csv_.is_open()) return true;
    csv_.close();
    return static_cast<bool>(csv_);
  }

 private:
  static constexpr std::size_t kSlices = 200;  // as many as a picture can show

  mutable std::mutex mutex_;
  Counts counts_;
  double slice_seconds_;
  std::vector<Slice> slices_;
  std::ofstream csv_;
};

}  // namespace infer::cli
