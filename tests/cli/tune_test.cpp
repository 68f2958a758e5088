#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "infer/engine/tuned.h"
#include "tune/closed_loop.h"
#include "tune/search.h"
#include "tuned_place.h"

namespace infer::cli {
namespace {

using testing::run_infer;

Candidate batch_of(std::size_t size) { return {"1", 1, 1, size, 0}; }

TEST(Search, FindsTheBestOfManyWithMostOfTheTimeForTheGoodOnes) {
  std::vector<Candidate> all;
  for (std::size_t size = 1; size <= 16; ++size) all.push_back(batch_of(size));
  std::map<std::size_t, double> spent;
  const auto trials =
      successive_halving(all, {.seconds = 10, .least_trial = 0}, [&](const Candidate& c, double seconds) {
        spent[c.max_batch_size] += seconds;
        return Result<Trial>(Trial{c, 100 - std::abs(static_cast<double>(c.max_batch_size) - 11), 0.1});
      });
  ASSERT_TRUE(trials);
  EXPECT_EQ(trials->front().candidate, batch_of(11));
  EXPECT_EQ(trials->size(), 16) << "one trial of each is told";
  double total = 0;
  for (const auto& [size, seconds] : spent) total += seconds;
  EXPECT_LE(total, 10.01);
  EXPECT_GT(total, 7);
  EXPECT_GT(spent[11], 10 * spent[2]);
}

TEST(Search, StaysWithWhatIsUsedUnlessAnotherIsClearlyBetter) {
  const auto best = [](double other) {
    return successive_halving({batch_of(1), batch_of(2), batch_of(3), batch_of(4)}, {.seconds = 1},
                              [&](const Candidate& c, double) {
                                return Result<Trial>(Trial{c, c.max_batch_size == 3 ? other : 100, 0.1});
                              })
        ->front()
        .candidate;
  };
  EXPECT_EQ(best(101), batch_of(1));
  EXPECT_EQ(best(103), batch_of(3));
}

TEST(Search, KeepsTheObjectiveBeforeItLooksAtThroughput) {
  const auto search = [](double p95) {
    return successive_halving({batch_of(8), batch_of(1), batch_of(2), batch_of(4)},
                              {.seconds = 1, .p95 = p95},
                              [](const Candidate& c, double) {
                                const auto size = static_cast<double>(c.max_batch_size);
                                return Result<Trial>(Trial{c, 10 * size, 0.01 * size});
                              })
        ->front()
        .candidate;
  };
  EXPECT_EQ(search(0), batch_of(8));
  EXPECT_EQ(search(0.025), batch_of(2));
  EXPECT_EQ(search(0.001), batch_of(1)) << "none keeps it: the nearest";
}

TEST(Search, ReportsWhatFails) {
  EXPECT_FALSE(successive_halving({}, {}, nullptr));
  const auto failed = successive_halving({batch_of(1)}, {}, [](const Candidate&, double) {
    return Result<Trial>(Unexpected(Error{ErrorCode::kModelError, "broken", {}}));
  });
  EXPECT_EQ(failed.error().message, "broken");
}

TEST(Front, HasOnlyWhatNoOtherBeatsInBoth) {
  const auto best =
      front({{batch_of(1), 10, 0.1}, {batch_of(2), 20, 0.3}, {batch_of(3), 15, 0.4}, {batch_of(4), 20, 0.2}});
  ASSERT_EQ(best.size(), 2);
  EXPECT_EQ(best[0].candidate, batch_of(4));
  EXPECT_EQ(best[1].candidate, batch_of(1));
}

TEST(ClosedLoop, CountsAnswersBetweenBatchesAndTimesThem) {
  const SampleRequest slow = []() -> Result<void> {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return {};
  };
  const auto seen = closed_loop(slow, 3, 0.5, {});
  ASSERT_TRUE(seen);
  EXPECT_LT(seen->per_second, 330) << "three clients, 10 ms each at least";
  EXPECT_GT(seen->per_second, 0) << "however late a busy machine wakes them";
  EXPECT_GE(seen->p95, 0.010);
}

TEST(ClosedLoop, EndsWithTheFirstErrorOrWhenItIsTold) {
  const auto failed =
      closed_loop([]() -> Result<void> { return fail(ErrorCode::kModelError, "broken"); }, 2, 60, {});
  EXPECT_EQ(failed.error().message, "broken");
  std::stop_source source;
  std::atomic<int> sent{0};
  const auto stopped = closed_loop(
      [&]() -> Result<void> {
        if (++sent == 5) source.request_stop();
        return {};
      },
      2, 60, source.get_token());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(Tuned, IsWrittenReadAndNamedForTheMachine) {
  const testing::Folder folder;
  const auto settings = [](std::size_t workers, std::size_t threads, std::size_t batch,
                           std::chrono::microseconds delay) {
    PartialSettings all;
    all.workers = workers;
    all.intra_op_threads = threads;
    all.max_batch_size = batch;
    all.max_queue_delay = delay;
    return all;
  };
  const TunedVersions versions{{"1", {settings(2, 1, 16, std::chrono::microseconds(500)), 47.25, 640}},
                               {"2", {settings(1, 2, 8, {}), 100, 300}}};
  const std::filesystem::path file = folder / "m/tuned/x.json";
  ASSERT_TRUE(write_tuned(file, versions));
  const auto read = read_tuned(file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at("1").max_batch_size, 16);
  EXPECT_EQ(read->at("1").max_queue_delay, std::chrono::microseconds(500));
  EXPECT_EQ(read->at("2").intra_op_threads, 2);
  EXPECT_EQ(tuned_file_name("AMD EPYC 9B45 128-Core Processor", 2),
            "amd-epyc-9b45-128-core-processor-2.json");
  EXPECT_EQ(tuned_file_name("", 4), "-4.json");
  EXPECT_EQ(read_tuned(folder / "none").error().code, ErrorCode::kNotFound);
  for (
      const auto& [text, field] :
      {std::pair{"{}", "x.json"},
       {R"({"versions":{"1":{"workers":-1}}})", "workers"},
       {R"({"versions":{"1":{"workers":1,"intra_op_threads":1,"max_batch_size":5000}}})", "max_batch_size"},
       {R"({"versions":{"1":{"workers":1,"intra_op_threads":1,"max_batch_size":5,"max_queue_delay_ms":-1}}})",
        "max_queue_delay_ms"}}) {
    std::ofstream(file) << text;
    const auto bad = read_tuned(file);
    ASSERT_FALSE(bad) << text;
    EXPECT_NE(bad.error().message.find(field), std::string::npos) << bad.error().message;
  }
}

TEST(TuneCommand, WritesWhatServeThenUses) {
  const testing::Folder folder;
  const std::string model = testing::scripted_model(folder.path(), 5);
  const auto tuned = run_infer(
      {"tune", model, "--seconds", "2", "--clients", "4", "--plot", folder / "front.svg", "--json"});
  ASSERT_EQ(tuned.code, 0) << tuned.output;
  EXPECT_NE(tuned.output.find("\"front\":[{"), std::string::npos) << tuned.output;
  const auto file = adapter::find_tuned(model);
  ASSERT_FALSE(file.empty());
  EXPECT_EQ(file.parent_path(), std::filesystem::path(model) / "tuned");
  EXPECT_TRUE(std::filesystem::exists(folder / "front.svg"));

  TunedSettings settings;
  settings.workers = settings.intra_op_threads = 1;
  settings.max_batch_size = 3;
  settings.max_queue_delay.emplace(0);
  ASSERT_TRUE(write_tuned(file, {{"1", settings}}));
  testing::Process server({testing::infer_binary(), "serve", "--model", model, "--port", "0", "--probe-port",
                           "0", "--tune", "auto"});
  EXPECT_NE(server.line().find("listening"), std::string::npos);
  const std::string said = server.line();
  EXPECT_NE(said.find("\"event\":\"tuned\""), std::string::npos) << said;
  const std::string ready = server.line();
  EXPECT_NE(ready.find("\"workers\":1,"), std::string::npos) << ready;
}

TEST(TuneCommand, SaysWhatIsWrong) {
  const testing::Folder folder;
  const std::string model = testing::scripted_model(folder.path());
  EXPECT_EQ(run_infer({"tune", folder / "none"}).code, 1);
  for (const auto& [flag, value] : {std::pair{"--seconds", "soon"},
                                    {"--time", "0s"},
                                    {"--slo", "p99=1s"},
                                    {"--slo", "fast"},
                                    {"--sample", "/no/such"}}) {
    const auto refused = run_infer({"tune", model, flag, value});
    EXPECT_EQ(refused.code, 1) << flag << value;
    EXPECT_NE(refused.output.find("infer tune: "), std::string::npos) << refused.output;
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(model) / "tuned"));
}

}  // namespace
}  // namespace infer::cli
