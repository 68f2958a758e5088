#include "infer/tools/tally.h"

#include <algorithm>
#include <iomanip>

namespace infer::inline v0::tools {
namespace {

constexpr std::size_t kSlices = 200;  // as many as a plot can show

}  // namespace

Tally::Tally(double seconds)
    : slice_seconds_(std::max(1.0, seconds / kSlices)),
      slices_(static_cast<std::size_t>(seconds / slice_seconds_) + 1) {}

Result<void> Tally::write_to(const std::string& csv) {
  csv_.open(csv, std::ios::binary);
  csv_ << std::fixed << std::setprecision(6) << "due_s,sent_s,answered_s,outcome\n";
  if (!csv_.flush()) return fail(ErrorCode::kInvalidArgument, "--csv: " + csv + ": cannot be written");
  return {};
}

void Tally::add(const Outcome& outcome) {
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
    csv_ << outcome.due << ',' << outcome.sent << ',' << outcome.answered << ",\"" << outcome.what << "\"\n";
  }
}

Tally::Counts Tally::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool Tally::close_csv() {
  if (!csv_.is_open()) return true;
  csv_.close();
  return static_cast<bool>(csv_);
}

}  // namespace infer::inline v0::tools
