#include "infer/tools/simulation.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>

#include "tools/plan/replica.h"

namespace infer::inline v0::tools {
namespace {

class Service {
 public:
  explicit Service(const SimulationOptions& options) : options_(options) {
    if (options.autoscaler) autoscaler_.emplace(*options.autoscaler);
    for (std::size_t i = 0; i < options.replicas; ++i) add(0);
    prediction_.replicas.emplace_back(0, ready_.size());
  }

  Prediction run(Arrivals& arrivals) {
    auto arrival = arrivals.next();
    double tick = Autoscaler::kPeriod;
    while (arrival || !events_.empty()) {
      const double event = events_.empty() ? kNever : events_.top().time;
      const double arrives = arrival.value_or(kNever);
      if (autoscaler_ && arrival && tick <= std::min(event, arrives)) {
        scale(tick);
        tick += Autoscaler::kPeriod;
      } else if (arrives <= event) {
        take(arrives);
        arrival = arrivals.next();
      } else {
        handle();
      }
    }
    for (auto& server : servers_) {
      if (server.ready_at <= last_)
        used_ += server.replica.cpu_seconds(last_), offered_ += alive(server, last_);
    }
    prediction_.seconds = last_;
    if (offered_ > 0) prediction_.utilization = used_ / (offered_ * options_.replica.cores);
    return std::move(prediction_);
  }

 private:
  static constexpr double kNever = 1e300;

  struct Server {
    Replica replica;
    double ready_at;
    double gone_at = kNever;
    std::uint64_t turn = 0;  // of its latest event; earlier events are obsolete
    double cpu_at_scrape = 0;
  };
  struct Event {
    double time;
    std::size_t server;
    std::uint64_t turn;
    bool operator>(const Event& other) const { return time > other.time; }
  };

  void add(double ready_at) {
    servers_.push_back({Replica(options_.replica), ready_at});
    if (ready_at <= 0) {
      ready_.push_back(servers_.size() - 1);
    } else {
      ++starting_;
      events_.push({ready_at, servers_.size() - 1, 0});
    }
  }

  void take(double now) {
    last_ = std::max(last_, now);
    if (ready_.empty()) {
      ++prediction_.refused;
      return;
    }
    const std::size_t index =
        ready_[std::uniform_int_distribution<std::size_t>(0, ready_.size() - 1)(random_)];
    if (!servers_[index].replica.arrive(now)) ++prediction_.refused;
    expect(index);
  }

  void handle() {
    const Event event = events_.top();
    events_.pop();
    Server& server = servers_[event.server];
    if (event.turn != server.turn) return;
    if (event.turn == 0) {  // the server has become ready
      --starting_;
      server.turn = 1;
      ready_.push_back(event.server);
      note_replicas(event.time);
      return;
    }
    answered_.clear();
    prediction_.refused += server.replica.step(event.time, answered_);
    for (const double arrived : answered_) prediction_.times.add(event.time - arrived);
    prediction_.answered += answered_.size();
    last_ = std::max(last_, event.time);
    expect(event.server);
  }

  void expect(std::size_t index) {
    Server& server = servers_[index];
    ++server.turn;
    if (server.turn == 1) ++server.turn;  // turns 0 and 1 belong to starting
    if (const auto next = server.replica.next()) events_.push({*next, index, server.turn});
  }

  /// Simulates the metrics server and the autoscaler.
  void scale(double now) {
    double used = 0;
    for (const std::size_t index : ready_) {
      const double cpu = servers_[index].replica.cpu_seconds(now);
      used += cpu - servers_[index].cpu_at_scrape;
      servers_[index].cpu_at_scrape = cpu;
    }
    const auto count = static_cast<double>(ready_.size());
    const std::size_t current = ready_.size() + starting_;
    // The controller reads the measurements of the previous period, for the servers that ran then.
    const std::size_t wanted =
        autoscaler_->decide(now, current, std::min(measured_, ready_.size()), utilization_);
    measured_ = ready_.size();
    utilization_ = ready_.empty() ? 0 : used / (count * Autoscaler::kPeriod * options_.requested_cores);
    for (std::size_t i = current; i < wanted; ++i) add(now + options_.start_seconds);
    for (std::size_t i = current; i > wanted && ready_.size() > 1;
         --i) {  // a removed server answers its requests first
      servers_[ready_.back()].gone_at = now;
      ready_.pop_back();
    }
    if (wanted < current) note_replicas(now);
  }

  /// Records one entry for all changes at the same time.
  void note_replicas(double now) {
    if (prediction_.replicas.back().first < now) prediction_.replicas.emplace_back(now, 0);
    prediction_.replicas.back().second = ready_.size();
  }

  static double alive(const Server& server, double end) {
    return std::min(server.gone_at, end) - server.ready_at;
  }

  const SimulationOptions& options_;
  std::optional<Autoscaler> autoscaler_;
  std::vector<Server> servers_;
  std::vector<std::size_t> ready_;
  std::size_t starting_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<double> answered_;
  std::mt19937_64 random_{1};
  Prediction prediction_;
  double utilization_ = 0;
  std::size_t measured_ = 0;
  double last_ = 0;
  double used_ = 0;
  double offered_ = 0;
};

}  // namespace

Prediction simulate(const SimulationOptions& options, Arrivals arrivals) {
  return Service(options).run(arrivals);
}

}  // namespace infer::inline v0::tools
