// Tests the serving layer without a protocol: calls choose models, versions replace each other, statistics
// count.

#include "infer/serving/call.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "infer/engine/backends.h"
#include "infer/models/simulator.h"
#include "infer/serving/model_repository.h"
#include "infer/tasks/simulator.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr Work kSimulation = work_of<Simulator>("simulate");
constexpr Work kEmbedding = work_of<ImageEmbedder>("image-embedding");

class Serving : public ::testing::Test {
 protected:
  Serving() {
    folder_ = fs::temp_directory_path() / ("infer-serving-" + std::to_string(::getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  ~Serving() override { fs::remove_all(folder_); }

  void add_model(const std::string& name) { create_simulator({.base_ms = 0}, folder_ / name).value(); }

  std::unique_ptr<ModelRepository> repository() {
    RepositoryOptions options;
    options.folder = folder_;
    options.engine.max_inflight = 1;
    options.engine.warmup = Warmup::kNone;
    options.engine.backends = backends_;
    return std::make_unique<ModelRepository>(std::move(options), std::make_shared<MetricsRegistry>(),
                                             [this](const ServingEvent& event) {
                                               std::unique_lock lock(mutex_);
                                               events_.emplace_back(event.name);
                                             });
  }
  std::vector<std::string> events() {
    std::unique_lock lock(mutex_);
    return events_;
  }

  fs::path folder_;
  std::shared_ptr<const Backends> backends_;
  std::mutex mutex_;
  std::vector<std::string> events_;
};

TEST_F(Serving, ACallRunsTheModelAndItsStatisticsKnow) {
  add_model("a");
  const auto models = repository();
  ASSERT_TRUE(models->load());
  Call call;
  call.start = std::chrono::steady_clock::now();
  ASSERT_TRUE(call.choose(models->models(), {}, kSimulation));
  const auto answer = call.task<Simulator>().run({.units = 3}, call.options(), call.permit()).value();
  EXPECT_EQ(answer.units, 3U);
  call.ran(answer.timings, answer.batch_size, 1);
  call.finish(true, std::chrono::steady_clock::now());
  const auto seen = call.model()->statistics->read();
  EXPECT_EQ(seen.success.count, 1U);
  EXPECT_EQ(seen.inferences, 1U);
  EXPECT_EQ(seen.fail.count, 0U);
}

TEST_F(Serving, AModelFolderMayNameABackendOfTheProgram) {
  add_model("a");
  Manifest manifest = read_manifest(folder_ / "a").value();
  manifest.backend = "own";
  write_manifest(manifest, folder_ / "a").value();
  EXPECT_EQ(repository()->load().error().code, ErrorCode::kUnimplemented);
  Backends backends;
  backends.add({"own", "own_platform", backends.find("scripted")->load}).value();
  backends_ = std::make_shared<const Backends>(std::move(backends));
  const auto models = repository();
  ASSERT_TRUE(models->load());
  EXPECT_EQ(models->models().find("a", {})->engine->model().platform, "own_platform");
}

TEST_F(Serving, ASingleModelTakesItsPlaceBeforeTheBodyAndSeveralWaitForTheName) {
  add_model("a");
  {
    const auto one = repository();
    ASSERT_TRUE(one->load());
    Call call;
    ASSERT_TRUE(call.choose_early(one->models(), kSimulation));
    ASSERT_NE(call.model(), nullptr);
    const auto early = call.model();
    ASSERT_TRUE(call.choose(one->models(), {.name = "a", .version = {}}, kSimulation));
    EXPECT_EQ(call.model(), early) << "the call keeps its place: the limit is one request in flight";
  }
  add_model("b");
  const auto two = repository();
  ASSERT_TRUE(two->load());
  Call call;
  ASSERT_TRUE(call.choose_early(two->models(), kSimulation));
  EXPECT_EQ(call.model(), nullptr);
  ASSERT_TRUE(call.choose(two->models(), {.name = "b", .version = {}}, kSimulation));
  EXPECT_EQ(call.model()->engine->model().name, "b");
}

TEST_F(Serving, AFullLineRefusesAndSaysWhenToComeBackAndReleaseMakesRoom) {
  add_model("a");
  const auto models = repository();
  ASSERT_TRUE(models->load());
  Call first;
  Call second;
  ASSERT_TRUE(first.choose(models->models(), {}, kSimulation));
  const auto refused = second.choose(models->models(), {}, kSimulation);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_GE(second.retry_after_seconds(refused.error()).value_or(0), 1);
  EXPECT_FALSE(second.retry_after_seconds({ErrorCode::kInvalidArgument, "x", {}}));
  first.release();
  EXPECT_TRUE(second.choose(models->models(), {}, kSimulation));
}

TEST_F(Serving, WhatWasNotAskedForIsNeverServed) {
  add_model("a");
  const auto models = repository();
  ASSERT_TRUE(models->load());
  const auto error = [&](const WantedModel& wanted, const Work& work) {
    Call call;
    auto chosen = call.choose(models->models(), wanted, work);
    EXPECT_EQ(call.model(), nullptr);
    return chosen ? Error{} : chosen.error();
  };
  EXPECT_EQ(error({.name = "b", .version = {}}, kSimulation).code, ErrorCode::kNotFound);
  EXPECT_EQ(error({.name = "a", .version = "7"}, kSimulation).code, ErrorCode::kNotFound);
  EXPECT_EQ(error({.name = "a", .version = {}}, kEmbedding).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error({}, kEmbedding).code, ErrorCode::kNotFound);
}

TEST_F(Serving, ANewVersionTakesOverWhileACallKeepsTheOldOne) {
  add_model("a");
  const auto models = repository();
  ASSERT_TRUE(models->load());
  Call call;
  ASSERT_TRUE(call.choose(models->models(), {}, kSimulation));
  const std::weak_ptr<ServedModel> old = call.model();
  fs::copy(folder_ / "a" / "1", folder_ / "a" / "2", fs::copy_options::recursive);
  models->refresh();
  EXPECT_EQ(models->models().find("a", {})->engine->model().version, "2");
  EXPECT_EQ(call.model(), old.lock());
  EXPECT_EQ(call.task<Simulator>().run({.units = 2}, call.options(), call.permit()).value().units, 2U);
  EXPECT_EQ(events(), std::vector<std::string>{"swapped"});
  EXPECT_EQ(models->all().size(), 2U) << "the old version is still in use";
  call.release();
  models->free_unused();
  EXPECT_TRUE(old.expired()) << "the old version's last call has ended";
}

TEST_F(Serving, AVersionThatCannotBeReadIsRefusedOnceAndTheOldOneStays) {
  add_model("a");
  const auto models = repository();
  ASSERT_TRUE(models->load());
  fs::create_directories(folder_ / "a" / "2");
  models->refresh();
  models->refresh();
  EXPECT_EQ(models->models().find("a", {})->engine->model().version, "1");
  EXPECT_EQ(events(), std::vector<std::string>{"swap_refused"});
}

TEST_F(Serving, AModelIsUnloadedAndLoadedByName) {
  add_model("a");
  const auto models = repository();
  ASSERT_TRUE(models->load());
  ASSERT_TRUE(models->unload_model("a"));
  EXPECT_EQ(models->models().find("a", {}), nullptr);
  ASSERT_EQ(models->index().size(), 1U);
  EXPECT_TRUE(models->index().front().version.empty());
  EXPECT_EQ(models->unload_model("a").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(models->load_model("../a").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(models->load_model("a"));
  EXPECT_NE(models->models().find("a", "1"), nullptr);
}

}  // namespace
}  // namespace infer::inline v0
