#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include <gtest/gtest.h>

#include "infer/engine/tuned.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

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
  // Settings that an entry does not have come from infer.json.
  TunedSettings only;
  only.max_batch_size = 4;
  ASSERT_TRUE(write_tuned(file, {{"1", only}}));
  EXPECT_EQ(read_tuned(file).value().at("1").max_batch_size, 4);
  EXPECT_FALSE(read_tuned(file).value().at("1").workers);
  EXPECT_EQ(read_tuned(folder / "none").error().code, ErrorCode::kNotFound);
  for (
      const auto& [text, field] :
      {std::pair{"{}", "x.json"},
       {R"({"versions":{"1":[]}})", "1: must be an object"},
       {R"({"versions":{"1":{"max_batchsize":4}}})", "max_batchsize: is not a tuned setting"},
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

}  // namespace
}  // namespace infer
