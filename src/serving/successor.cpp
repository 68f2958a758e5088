#include "successor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "infer/machine/control_group.h"

namespace infer::inline v0 {
namespace {

/// Memory that loading needs for each byte of the model file: the weights as read, and as packed.
constexpr std::uint64_t kBytesPerFileByte = 2;
/// Minimum cosine between answers of two files with the same weights in the same precision.
constexpr double kLeastCosineOfEquals = 0.9999;

Unexpected unfit(const std::string& what) { return fail(ErrorCode::kFailedPrecondition, what); }

using Answers = std::vector<std::vector<float>>;

/// Number of recorded inputs for the comparison.
constexpr std::size_t kAsked = 4;

/// Returns the answer to one recorded input. The version may be busy with requests of clients, so this waits
/// for a place until `end`.
Result<Answers> answer_in_turn(const ServedModel& model, std::size_t index, TimePoint end) {
  constexpr std::chrono::milliseconds kPause{2};
  while (true) {
    auto answer = model.task->recorded_answer(index);
    const bool full = !answer && answer.error().code == ErrorCode::kOverloaded;
    if (!full || std::chrono::steady_clock::now() > end) return answer;
    std::this_thread::sleep_for(kPause);  // the engine does not signal a free place
  }
}

/// Returns the answers to the first recorded inputs; empty for a task without recorded inputs.
Result<Answers> recorded_answers(const ServedModel& model) {
  constexpr std::chrono::seconds kPatience{60};
  const TimePoint end = std::chrono::steady_clock::now() + kPatience;
  Answers answers;
  for (std::size_t i = 0; i < std::min(kAsked, model.task->recorded()); ++i) {
    auto answer = answer_in_turn(model, i, end);
    if (!answer) return answer;
    std::move(answer->begin(), answer->end(), std::back_inserter(answers));
  }
  return answers;
}

bool finite(const Answers& answers) {
  return std::all_of(answers.begin(), answers.end(), [](const std::vector<float>& answer) {
    return std::all_of(answer.begin(), answer.end(), [](float value) { return std::isfinite(value); });
  });
}

/// Returns the length of the difference divided by the length of `a`. An angle alone would show nothing for
/// answers of one number.
double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    length += static_cast<double>(a[i]) * a[i];
  }
  return difference == 0 ? 0 : std::sqrt(difference / length);
}

/// Checks that two versions of the same weights give the same answers, as closely as their precisions allow.
Result<void> same_answers(const ServedModel& now, const Answers& next_answers, const ServedModel& next) {
  auto now_answers = recorded_answers(now);
  if (!now_answers) {
    return unfit("same_weights_as: the served version did not answer the comparison: " +
                 now_answers.error().message);
  }
  const bool same_precision =
      now.engine->model().manifest.precision == next.engine->model().manifest.precision;
  // The distance of two unit vectors with cosine c is sqrt(2 - 2c).
  const double cosine = same_precision ? kLeastCosineOfEquals : kLeastCosineOfPrecisions;
  const double most = std::sqrt(2 - 2 * cosine);
  if (next_answers.empty() || now_answers->size() != next_answers.size()) {
    return unfit(
        "same_weights_as: the versions cannot be compared, since no recorded input fits both; remove the key "
        "to serve this version without a comparison");
  }
  for (std::size_t i = 0; i < next_answers.size(); ++i) {
    const std::vector<float>& a = (*now_answers)[i];
    const std::vector<float>& b = next_answers[i];
    const double distance = a.size() == b.size() ? relative_distance(a, b) : 1;
    if (!(distance <= most)) {
      return unfit("same_weights_as: answers differ from those of the served version by " +
                   std::to_string(distance) + " of their length; at most " + std::to_string(most) +
                   " is allowed");
    }
  }
  return {};
}

}  // namespace

Result<void> room_for(const std::filesystem::path& version) {
  const MemoryLimits limits = read_control_group().memory;
  if (!limits.limit_bytes) return {};
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(version, error)) {
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  }
  const std::uint64_t needed = kBytesPerFileByte * bytes;
  const std::uint64_t left = *limits.limit_bytes - std::min(*limits.limit_bytes, limits.used_bytes);
  if (needed <= left) return {};
  return unfit("loading this version beside the served version needs about " + std::to_string(needed >> 20) +
               " MiB; the control group's limit leaves " + std::to_string(left >> 20) + " MiB");
}

Result<void> check_successor(const ServedModel& now, const ServedModel& next) {
  const Model& now_model = now.engine->model();
  const Model& next_model = next.engine->model();
  const auto task = find_task(now_model.manifest, now_model.name);
  if (!task) return Unexpected(task.error());
  if (now_model.manifest.task != next_model.manifest.task) {
    return unfit("task is " + next_model.manifest.task + "; the task of the served version is " +
                 now_model.manifest.task);
  }
  if (auto same = (*task)->same_contract(now_model, next_model); !same) return same;
  auto answers = recorded_answers(next);
  if (!answers) return Unexpected(answers.error());
  if (!finite(*answers)) return unfit("the answers to recorded inputs are not finite");
  if (next_model.manifest.same_weights_as == now_model.directory.filename() &&
      !next_model.manifest.same_weights_as.empty()) {
    return same_answers(now, *answers, next);
  }
  return {};
}

}  // namespace infer::inline v0
