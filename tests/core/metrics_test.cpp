#include "infer/core/metrics.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace infer {
namespace {

TEST(Metrics, RendersPrometheusText) {
  MetricsRegistry registry;
  registry.counter("infer_requests_total", "Requests.", {{"model", "a\"b"}, {"code", "OK"}}).add(3);
  registry.gauge("infer_queue_depth", "Queued samples.").set(2);
  auto& histogram = registry.histogram("infer_batch_size", "Batch sizes.", {1, 2, 4});
  histogram.observe(1);
  histogram.observe(3);
  histogram.observe(9);
  EXPECT_EQ(registry.render(),
            "# HELP infer_requests_total Requests.\n# TYPE infer_requests_total counter\n"
            "infer_requests_total{model=\"a\\\"b\",code=\"OK\"} 3\n"
            "# HELP infer_queue_depth Queued samples.\n# TYPE infer_queue_depth gauge\n"
            "infer_queue_depth 2\n"
            "# HELP infer_batch_size Batch sizes.\n# TYPE infer_batch_size histogram\n"
            "infer_batch_size_bucket{le=\"1\"} 1\n"
            "infer_batch_size_bucket{le=\"2\"} 1\n"
            "infer_batch_size_bucket{le=\"4\"} 2\n"
            "infer_batch_size_bucket{le=\"+Inf\"} 3\n"
            "infer_batch_size_sum 13\n"
            "infer_batch_size_count 3\n");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameSeries) {
  MetricsRegistry registry;
  registry.counter("a", "A.").add();
  registry.counter("a", "A.").add();
  EXPECT_EQ(registry.counter("a", "A.").value(), 2u);
}

TEST(Metrics, CountsFromManyThreadsAddUp) {
  MetricsRegistry registry;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto& counter = registry.counter("a", "A.");
      auto& histogram = registry.histogram("h", "H.", {1});
      for (int n = 0; n < 1000; ++n) {
        counter.add();
        histogram.observe(0.5);
        if (n % 100 == 0) (void)registry.render();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(registry.counter("a", "A.").value(), 4000u);
  EXPECT_EQ(registry.histogram("h", "H.", {1}).bucket(0), 4000u);
}

TEST(Metrics, HooksRunBeforeRendering) {
  MetricsRegistry registry;
  auto& gauge = registry.gauge("g", "G.");
  registry.on_collect([&] { gauge.set(7); });
  EXPECT_NE(registry.render().find("g 7\n"), std::string::npos);
}

TEST(Metrics, AHookEndsWithItsSubject) {
  MetricsRegistry registry;
  auto& gauge = registry.gauge("g", "G.");
  auto subject = std::make_shared<double>(7);
  registry.on_collect(subject, [&gauge, seen = subject.get()] { gauge.set(*seen); });
  EXPECT_NE(registry.render().find("g 7\n"), std::string::npos);
  subject.reset();
  gauge.set(1);
  EXPECT_NE(registry.render().find("g 1\n"), std::string::npos);

  const auto kept = std::make_shared<int>();
  for (int swaps = 0; swaps < 3; ++swaps) {  // each hook holds `kept`
    registry.on_collect(std::make_shared<int>(), [kept] {});
  }
  EXPECT_EQ(kept.use_count(), 2) << "the references of the test and of the last hook";
}

}  // namespace
}  // namespace infer
