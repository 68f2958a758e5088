#pragma once

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace infer::inline v0 {

/// A number that goes up and down.
///
/// Thread-safe, wait-free on common machines.
class Gauge {
 public:
  /// Sets the value.
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  /// Adds `by`, which may be negative.
  void add(double by) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
  /// Returns the current value.
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// A count that only goes up.
///
/// Thread-safe, wait-free.
class Counter {
 public:
  /// Adds `by`.
  void add(std::uint64_t by = 1) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
  /// Returns the current count.
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Counts observations in buckets with ascending upper edges, and their sum.
///
/// Thread-safe, wait-free on common machines.
class Histogram {
 public:
  /// Makes a histogram with one bucket up to each of the ascending `edges`, and one bucket above the last.
  explicit Histogram(std::vector<double> edges) : edges_(std::move(edges)), buckets_(edges_.size() + 1) {}

  /// Adds one observation; a value equal to an edge belongs to the bucket below that edge.
  void observe(double value) noexcept {
    const auto edge = std::lower_bound(edges_.begin(), edges_.end(), value);
    buckets_[static_cast<std::size_t>(edge - edges_.begin())].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  /// Returns the edges; valid as long as the histogram.
  std::span<const double> edges() const noexcept { return edges_; }
  /// Returns the number of observations in bucket `index` alone; `edges().size()` is the bucket above the
  /// last edge.
  std::uint64_t bucket(std::size_t index) const noexcept {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  /// Returns the sum of all observations.
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> edges_;
  std::vector<std::atomic<std::uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

/// The label names and values of one series, such as {{"model", "clip"}, {"code", "OK"}}.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Owns named series and renders them as Prometheus text (exposition format 0.0.4).
///
/// Thread-safe. Returned references stay valid as long as the registry. The same name and labels give the
/// same series, so hot paths should keep the reference. The first call for a name sets its `help`. Each call
/// may throw `std::bad_alloc`.
class MetricsRegistry {
 public:
  /// Returns the counter `name` with `labels`, created at 0 by the first call.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {}) {
    return series<Counter>(counters_, name, help, std::move(labels),
                           [] { return std::make_unique<Counter>(); });
  }

  /// Returns the gauge `name` with `labels`, created at 0 by the first call.
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {}) {
    return series<Gauge>(gauges_, name, help, std::move(labels), [] { return std::make_unique<Gauge>(); });
  }

  /// Returns the histogram `name` with `labels`; the first call creates it with `edges`, later calls ignore
  /// them.
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> edges,
                       Labels labels = {}) {
    return series<Histogram>(histograms_, name, help, std::move(labels),
                             [&] { return std::make_unique<Histogram>(std::move(edges)); });
  }

  /// Registers a function that runs before each rendering, to set gauges from other sources.
  ///
  /// The function must not register series or hooks.
  void on_collect(std::function<void()> hook) { on_collect(everlasting_, std::move(hook)); }

  /// Registers a function that runs before each rendering while `subject` exists.
  ///
  /// The registry does not own `subject`, but keeps it alive during a call of `hook`. The function must not
  /// register series or hooks.
  void on_collect(const std::shared_ptr<const void>& subject, std::function<void()> hook) {
    std::unique_lock lock(mutex_);
    // A registry outlives the engines of replaced versions, whose hooks must not accumulate.
    std::erase_if(hooks_, [](const Hook& old) { return old.subject.expired(); });
    hooks_.push_back({subject, std::move(hook)});
  }

  /// Runs the registered functions, then renders all series as Prometheus text.
  std::string render() const {
    std::vector<Hook> hooks;
    {
      std::unique_lock lock(mutex_);
      hooks = hooks_;
    }
    for (const Hook& hook : hooks) {
      if (const auto subject = hook.subject.lock()) hook.run();
    }
    std::unique_lock lock(mutex_);
    std::string out;
    for (const auto& [name, family] : counters_) {
      head(out, name, family.help, "counter");
      for (const auto& [labels, counter] : family.series)
        line(out, name, labels, static_cast<double>(counter->value()));
    }
    for (const auto& [name, family] : gauges_) {
      head(out, name, family.help, "gauge");
      for (const auto& [labels, gauge] : family.series) line(out, name, labels, gauge->value());
    }
    for (const auto& [name, family] : histograms_) {
      head(out, name, family.help, "histogram");
      for (const auto& [labels, histogram] : family.series) render_histogram(out, name, labels, *histogram);
    }
    return out;
  }

 private:
  template <class T>
  struct Family {
    std::string help;
    std::map<std::string, std::unique_ptr<T>> series;  // keyed by the rendered labels
  };
  template <class T>
  using Families = std::map<std::string, Family<T>, std::less<>>;

  template <class T, class Make>
  T& series(Families<T>& families, std::string_view name, std::string_view help, Labels labels, Make make) {
    std::unique_lock lock(mutex_);
    Family<T>& family = families[std::string(name)];
    if (family.help.empty()) family.help = help;
    std::unique_ptr<T>& slot = family.series[render_labels(labels)];
    if (!slot) slot = make();
    return *slot;
  }

  static std::string render_labels(const Labels& labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
      if (!out.empty()) out += ',';
      out += name + "=\"";
      for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
          out += "\\n";
        } else {
          out += c;
        }
      }
      out += '"';
    }
    return out;
  }

  static void head(std::string& out, const std::string& name, const std::string& help, const char* type) {
    out += "# HELP " + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    return {buffer, end};
  }

  static void line(std::string& out, const std::string& name, const std::string& labels, double value) {
    out += name;
    if (!labels.empty()) out += '{' + labels + '}';
    out += ' ' + number(value) + '\n';
  }

  static void render_histogram(std::string& out, const std::string& name, const std::string& labels,
                               const Histogram& histogram) {
    const std::string prefix = labels.empty() ? "" : labels + ',';
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= histogram.edges().size(); ++i) {
      count += histogram.bucket(i);
      const std::string edge = i < histogram.edges().size() ? number(histogram.edges()[i]) : "+Inf";
      line(out, name + "_bucket", prefix + "le=\"" + edge + '"', static_cast<double>(count));
    }
    line(out, name + "_sum", labels, histogram.sum());
    line(out, name + "_count", labels, static_cast<double>(count));
  }

  struct Hook {
    std::weak_ptr<const void> subject;
    std::function<void()> run;
  };

  mutable std::mutex mutex_;
  Families<Counter> counters_;
  Families<Gauge> gauges_;
  Families<Histogram> histograms_;
  std::shared_ptr<const void> everlasting_ = std::make_shared<char>();
  std::vector<Hook> hooks_;
};

/// Returns bucket edges for durations, in seconds, from 1 ms to 60 s.
///
/// 0.5 is one of the edges, since the alert rules use it.
inline std::vector<double> latency_edges() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 3, 5, 10, 30, 60};
}

}  // namespace infer::inline v0
