// Measures how long requests of one and of many samples wait for each other, on a clock that the executor
// advances.

#include <gtest/gtest.h>

#include <latch>
#include <map>
#include <random>

#include "core/test_task.h"
#include "infer/core/batch_scheduler.h"

namespace infer {
namespace {

using std::chrono::milliseconds;
using testing::TestTask;
using Scheduler = BatchScheduler<TestTask>;

/// What a client requests again as soon as it has its answer.
struct ClientPlan {
  std::size_t samples = 1;
  std::uint64_t kind = 0;
};

struct Mix {
  std::vector<ClientPlan> clients;
  std::size_t max_batch_size = 8;
  milliseconds base{8};
  milliseconds per_sample{4};
  std::size_t forwards = 4'000;  ///< Number of forwards after which the clients stop.
};

/// Clients in a closed loop. After the start, everything happens on the thread of the single worker.
class ClosedLoop {
 public:
  explicit ClosedLoop(Mix mix) : mix_(std::move(mix)), clients_(mix_.clients.size()) {
    Scheduler::Options options;
    options.batch.max_batch_size = mix_.max_batch_size;
    options.batch.max_queue_size = 8192;
    scheduler_ = Scheduler::create(
                     options, [this](std::size_t, std::span<const TestTask> batch) { run(batch); }, clock_)
                     .value();
    for (std::size_t i = 0; i < clients_.size(); ++i) ask(i);
    start_.count_down();
    all_home_.wait();
    scheduler_->drain(kNever);
  }

  /// Returns the longest time of a request of client `i`. An unanswered request counts until the end.
  Duration longest(std::size_t i) const { return clients_[i].longest; }
  std::size_t answered(std::size_t i) const { return clients_[i].answered; }
  Duration longest_single() const {
    Duration longest{};
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (mix_.clients[i].samples == 1) longest = std::max(longest, clients_[i].longest);
    }
    return longest;
  }
  Duration longest_forward() const {
    return mix_.base + mix_.per_sample * static_cast<std::int64_t>(mix_.max_batch_size);
  }

 private:
  struct Client {
    std::unique_ptr<FairLane> lane;
    std::size_t open = 0;
    std::size_t answered = 0;
    TimePoint asked;
    Duration longest{};
  };

  void ask(std::size_t i) {
    Client& client = clients_[i];
    client.lane = std::make_unique<FairLane>();
    client.asked = clock_->now();
    client.open = mix_.clients[i].samples;
    for (std::size_t sample = 0; sample < mix_.clients[i].samples; ++sample) {
      TestTask task(static_cast<int>(i));
      task.key_ = mix_.clients[i].kind;
      task.lane_ = client.lane.get();
      ASSERT_TRUE(scheduler_->enqueue(std::move(task)));
    }
  }

  void run(std::span<const TestTask> batch) {
    start_.wait();
    clock_->advance(mix_.base + mix_.per_sample * static_cast<std::int64_t>(batch.size()));
    ++forwards_;
    for (const TestTask& task : batch) {
      task.succeed();
      const auto i = static_cast<std::size_t>(task.id);
      Client& client = clients_[i];
      if (--client.open > 0) continue;
      ++client.answered;
      client.longest = std::max(client.longest, clock_->now() - client.asked);
      if (forwards_ < mix_.forwards) ask(i);
    }
    if (forwards_ == mix_.forwards) {
      for (Client& client : clients_) {
        if (client.open > 0) client.longest = std::max(client.longest, clock_->now() - client.asked);
      }
      all_home_.count_down();
    }
  }

  const Mix mix_;
  std::vector<Client> clients_;
  std::size_t forwards_ = 0;
  std::latch start_{1};
  std::latch all_home_{1};
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::unique_ptr<Scheduler> scheduler_;
};

TEST(Fairness, ARequestOfManyAmongSixtySinglesTakesNoLongerThanAsManySinglesAndARound) {
  for (const std::size_t samples : {1, 2, 8, 64}) {
    Mix mix;
    mix.clients.assign(60, {});
    mix.clients.push_back({samples, 0});
    const ClosedLoop loop(mix);
    EXPECT_GT(loop.answered(60), 2u) << samples;
    EXPECT_LE(loop.longest(60), (static_cast<std::int64_t>(samples) + 1) * loop.longest_single()) << samples;
  }
}

TEST(Fairness, SinglesAmongRequestsOfManyWaitForOneSampleOfEach) {
  Mix mix;
  mix.clients.assign(4, {64, 0});
  mix.clients.push_back({});
  const ClosedLoop loop(mix);
  EXPECT_GT(loop.answered(4), 100u);
  EXPECT_LE(loop.longest_single(), 3 * loop.longest_forward())
      << "a single sample waits for the running batch and one or two more";
}

/// Any number of clients that request one sample or many, with one shape or several, in batches of any
/// size.
TEST(Fairness, HoldsBothWaysUnderRandomMixes) {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    std::mt19937 random(seed);
    const auto draw = [&](std::size_t from, std::size_t to) {
      return std::uniform_int_distribution<std::size_t>(from, to)(random);
    };
    Mix mix;
    mix.max_batch_size = draw(1, 16);
    mix.base = milliseconds(draw(0, 20));
    mix.per_sample = milliseconds(draw(1, 10));
    const std::size_t kinds = draw(1, 3);
    for (std::size_t singles = draw(1, 60); singles > 0; --singles)
      mix.clients.push_back({1, draw(1, kinds)});
    for (std::size_t many = draw(1, 6); many > 0; --many)
      mix.clients.push_back({draw(2, 40), draw(1, kinds)});
    const ClosedLoop loop(mix);
    const auto clients = static_cast<std::int64_t>(mix.clients.size());
    EXPECT_LE(loop.longest_single(), (2 * clients + 2) * loop.longest_forward()) << seed << ": two rounds";
    for (std::size_t i = 0; i < mix.clients.size(); ++i) {
      const auto samples = static_cast<std::int64_t>(mix.clients[i].samples);
      EXPECT_GT(loop.answered(i), 0u) << seed;
      EXPECT_LE(loop.longest(i), (samples + 1) * loop.longest_single())
          << seed << ": " << samples << " samples among " << clients << " clients, " << kinds << " kinds";
    }
  }
}

}  // namespace
}  // namespace infer
