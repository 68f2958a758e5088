#include "tools/plan/replica.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "infer/core/expected_wait.h"

namespace infer::inline v0::tools {
namespace {

constexpr double kPrepareWeight = 1024;
constexpr double kForwardWeight = 335;
constexpr double kNow = 1e-9;  // differences below this many seconds are rounding errors

TimePoint time_point(double seconds) {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

double seconds_of(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

}  // namespace

bool Replica::arrive(double now) {
  advance(now);
  if (inflight_ >= options_->max_inflight || !begins_in_time()) return false;
  ++inflight_;
  preparing_.push_back({now, prepared_ + options_->curve.prepare});
  update();
  return true;
}

std::size_t Replica::step(double now, std::vector<double>& answered) {
  std::size_t refused = 0;
  advance(now);
  while (!preparing_.empty() && preparing_.front().until <= prepared_ + kNow) {
    if (queue_.size() < options_->batch.max_queue_size && begins_in_time()) {
      queue_.push_back({time_point(now)});
      waiting_.push_back(preparing_.front().arrived);
    } else {
      --inflight_;
      ++refused;
    }
    preparing_.pop_front();
  }
  std::erase_if(running_, [&](const Running& batch) {
    if (batch.until > computed_ + kNow) return false;
    drain_rate_.finished(batch.arrived.size(), batch.start, time_point(now));
    answered.insert(answered.end(), batch.arrived.begin(), batch.arrived.end());
    inflight_ -= batch.arrived.size();
    return true;
  });
  dispatch(now);
  update();
  return refused;
}

bool Replica::begins_in_time() const {
  if (options_->max_wait.count() == 0 || queue_.size() < policy_.largest_batch()) return true;
  const double per_sample = drain_rate_.worker_seconds_per_task();
  std::vector<double> rests(options_->curve.workers, 0.0);
  for (std::size_t i = 0; i < running_.size(); ++i) {
    const Running& batch = running_[i];
    rests[i] = expected_rest(batch.arrived.size(), now_ - seconds_of(batch.start), per_sample);
  }
  const double wait = expected_wait(queue_.size(), policy_.largest_batch(), per_sample, rests);
  return std::llround(1e3 * wait) <= options_->max_wait.count();
}

std::optional<double> Replica::next() const {
  double least = INFINITY;
  if (!preparing_.empty())
    least = now_ + std::max(0.0, preparing_.front().until - prepared_) / rates_.prepare;
  for (const Running& batch : running_)
    least = std::min(least, now_ + std::max(0.0, batch.until - computed_) / rates_.forward);
  if (linger_until_) least = std::min(least, std::max(now_, *linger_until_));
  return std::isfinite(least) ? std::optional(least) : std::nullopt;
}

double Replica::cpu_seconds(double now) {
  advance(now);
  return cpu_;
}

void Replica::advance(double now) {
  const double passed = std::max(0.0, now - now_);
  prepared_ += passed * rates_.prepare;
  computed_ += passed * rates_.forward;
  cpu_ += passed * rates_.cores;
  now_ = std::max(now_, now);
}

void Replica::dispatch(double now) {
  linger_until_.reset();
  while (running_.size() < options_->curve.workers) {
    const QueueView<std::span<const QueueItem>> view{queue_, options_->curve.workers - running_.size(),
                                                     false};
    const Decision decision = policy_.decide(view, time_point(now));
    if (const auto* wait = std::get_if<WaitUntil>(&decision)) linger_until_ = seconds_of(wait->time) + kNow;
    const auto* batch = std::get_if<Dispatch>(&decision);
    if (batch == nullptr) return;
    const auto count = static_cast<std::ptrdiff_t>(batch->count);
    running_.push_back({{waiting_.begin(), waiting_.begin() + count},
                        computed_ + options_->curve.forward(batch->count),
                        time_point(now)});
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    queue_.erase(queue_.begin(), queue_.begin() + count);
  }
}

/// Shares the cores by weight between the threads that have work, at most one core for each thread.
void Replica::update() {
  const auto preparing = static_cast<double>(preparing_.size());
  const double computing = static_cast<double>(running_.size() * options_->curve.intra_op_threads);
  double prepare = 1;
  double compute = 1;
  if (preparing + computing > options_->cores) {
    const double share = options_->cores / (preparing * kPrepareWeight + computing * kForwardWeight);
    prepare = std::min(1.0, share * kPrepareWeight);
    compute = std::min(1.0, share * kForwardWeight);
    if (prepare == 1 && computing > 0) compute = std::min(1.0, (options_->cores - preparing) / computing);
    if (compute == 1 && preparing > 0) prepare = std::min(1.0, (options_->cores - computing) / preparing);
  }
  double speed = 1;
  if (!running_.empty()) speed = options_->curve.speed(running_.back().arrived.size(), running_.size());
  rates_ = {prepare, compute * speed, preparing * prepare + computing * compute};
}

}  // namespace infer::inline v0::tools
