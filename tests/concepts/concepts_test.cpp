// Runs the examples of docs/concepts against a real engine. The API reference shows the code between two
// marks of the same name.
#include <gtest/gtest.h>
#include <infer/infer.h>
#include <infer/machine/control_group.h>
#include <infer/machine/cpu.h>
#include <infer/models/simulator.h>
#include <infer/testing/scripted_backend.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace {

/// A model that returns its input: four FP32 numbers.
infer::Model echo() {
  infer::testing::ScriptedOptions script;
  script.signature = {{{"x", infer::DType::kFp32, infer::Shape{4}}},
                      {{"y", infer::DType::kFp32, infer::Shape{4}}}};
  return infer::make_model("echo", infer::testing::make_scripted_backend(script).value());
}

infer::Sample sample_of(float value) {
  auto tensor = infer::Tensor::allocate(infer::DType::kFp32, infer::Shape{4}).value();
  std::ranges::fill(tensor.as<float>(), value);
  return {tensor};
}

TEST(Concepts, SamplesThatWaitTogetherShareABatch) {
  infer::Model model = echo();
  //! [batching]
  infer::EngineOptions options;
  options.batch.max_batch_size = 4;
  options.batch.allowed_batch_sizes = {1, 2, 4};
  options.batch.max_queue_delay = std::chrono::seconds(10);  // a full batch starts at once, all the same
  auto engine = infer::Engine::create(model, options).value();

  std::vector<infer::Pending> pending;
  for (int n = 0; n < 4; ++n) {
    pending.push_back(engine.submit(sample_of(static_cast<float>(n))).value());  // returns at once
  }
  for (auto& one : pending) {
    const infer::Response response = one.get().value();  // blocks until the batch is done
    EXPECT_EQ(response.batch_size, 4U);
  }
  //! [batching]
}

TEST(Concepts, OverloadAndLateRequestsAreRefusedBeforeTheyCostAnything) {
  infer::EngineOptions options;
  options.max_inflight = 1;
  auto engine = infer::Engine::create(echo(), options).value();
  //! [admission]
  auto permit = engine.try_admit();  // before the request's bytes are parsed
  ASSERT_TRUE(permit) << permit.error().message;

  const auto second = engine.try_admit();  // max_inflight is 1 here
  EXPECT_EQ(second.error().code, infer::ErrorCode::kOverloaded);
  const int seconds = engine.retry_after_seconds();  // tell the client when to try again
  //! [admission]
  EXPECT_GE(seconds, 1);
  //! [deadline]
  std::stop_source stop;
  infer::SubmitOptions how;
  how.deadline = engine.clock().now() + std::chrono::milliseconds(500);
  how.stop = stop.get_token();  // stop.request_stop() cancels the sample while it waits
  const auto response = engine.infer(sample_of(1), how, *permit);
  if (!response && response.error().code == infer::ErrorCode::kDeadlineExceeded) {
    // The sample waited for 500 ms and cost no forward.
  }
  //! [deadline]
  stop.request_stop();
  EXPECT_EQ(engine.infer(sample_of(1), how, *permit).error().code, infer::ErrorCode::kCancelled);
  infer::SubmitOptions late;
  late.deadline = engine.clock().now();
  EXPECT_EQ(engine.infer(sample_of(1), late, *permit).error().code, infer::ErrorCode::kDeadlineExceeded);
}

TEST(Concepts, ARequestOfManySamplesCountsOnce) {
  infer::EngineOptions options;
  options.max_inflight = 1;
  auto engine = infer::Engine::create(echo(), options).value();
  //! [fairness]
  const infer::Permit permit = engine.try_admit().value();  // one permit for the whole request
  std::vector<infer::Pending> pending;
  for (int n = 0; n < 32; ++n) {
    pending.push_back(engine.submit(sample_of(static_cast<float>(n)), {}, permit).value());
  }
  for (auto& one : pending) EXPECT_TRUE(one.get());
  //! [fairness]
  EXPECT_EQ(engine.stats().inflight, 1U);
}

TEST(Concepts, ADrainFinishesWhatIsQueuedAndRefusesTheRest) {
  auto engine = infer::Engine::create(echo()).value();
  auto pending = engine.submit(sample_of(1)).value();
  //! [drain]
  const infer::DrainReport report = engine.drain(std::chrono::seconds(20));  // blocks
  if (!report.in_time) {
    std::printf("%zu samples failed at the timeout\n", report.failed);
  }
  const auto refused = engine.infer(sample_of(1));
  EXPECT_EQ(refused.error().code, infer::ErrorCode::kUnavailable);
  //! [drain]
  EXPECT_TRUE(report.in_time);
  EXPECT_TRUE(pending.get());
}

TEST(Concepts, CopiesAndRowsOfATensorShareItsMemory) {
  //! [tensors]
  // FP32 [2,3]: memory of the tensor's own, freed with the last copy.
  auto rows = infer::Tensor::allocate(infer::DType::kFp32, infer::Shape{2, 3}).value();
  std::ranges::fill(rows.as<float>(), 1.0F);

  // FP32 [3]: no copy, both tensors own the memory.
  const infer::Tensor second = rows.row(1);
  EXPECT_EQ(second.owner(), rows.owner());

  // Memory of the program's: `numbers` lives as long as the tensor and its copies.
  auto numbers = std::make_shared<std::vector<float>>(6, 2.0F);
  const auto wrapped = infer::Tensor::wrap(infer::DType::kFp32, infer::Shape{2, 3}, numbers, numbers->data());
  EXPECT_EQ(wrapped.bytes(), 24U);
  //! [tensors]
  EXPECT_EQ(second.as<float>()[2], 1.0F);
  EXPECT_EQ(numbers.use_count(), 2);
}

TEST(Concepts, AModelIsAFolderWithAManifestAndVersions) {
  const auto models = std::filesystem::temp_directory_path() / ("infer-concepts-" + std::to_string(getpid()));
  //! [models]
  // models/simulator/infer.json and models/simulator/1/law.json
  infer::create_simulator({.base_ms = 0}, models / "simulator").value();

  const infer::Manifest manifest = infer::read_manifest(models / "simulator").value();
  EXPECT_EQ(manifest.task, "simulate");
  EXPECT_EQ(infer::choose_version(models / "simulator").value(), "1");

  infer::OpenOptions options;  // empty options come from the manifest, else they have their defaults
  options.workers = 1;
  auto engine = infer::open_engine(models / "simulator", options);
  if (!engine) std::printf("%s\n", engine.error().message.c_str());
  //! [models]
  EXPECT_TRUE(engine && engine->ready());
  std::filesystem::remove_all(models);
}

TEST(Concepts, TasksShareAnEngine) {
  infer::testing::ScriptedOptions script;
  script.signature = infer::testing::image_signature(32, 8);
  auto model = infer::make_model("photos", infer::testing::make_scripted_backend(script).value());
  model.manifest.preprocess = infer::ImagePreprocess{.size = 32};
  //! [tasks]
  const auto engine = std::make_shared<infer::Engine>(infer::Engine::create(model).value());
  const auto embedder = infer::ImageEmbedder::create(engine).value();  // images in, vectors out
  const infer::TensorRunner runner(engine);                            // tensors in, tensors out

  auto image = infer::Image::uninitialised(640, 480);
  std::fill_n(image.pixels.get(), 640 * 480 * infer::Image::kChannels, std::uint8_t{200});
  const std::vector<float> vector = embedder.embed(image).value();
  EXPECT_EQ(vector.size(), embedder.dim());
  //! [tasks]
  EXPECT_EQ(&runner.engine(), engine.get());
}

//! [errors]
infer::Result<float> first_number(const infer::Engine& shared, infer::Sample sample) {
  if (sample.empty()) return infer::fail(infer::ErrorCode::kInvalidArgument, "sample: has no tensor");
  auto valid = infer::check_sample(shared.model().backend->signature(), sample);
  if (!valid) return infer::Unexpected(valid.error());  // passes the error on
  return sample[0].as<float>()[0];                      // a value converts to its result
}

std::string describe(const infer::Result<float>& result) {
  if (result) return std::to_string(*result);
  const infer::Error& error = result.error();
  return std::string(to_string(error.code)) + ": " + error.message;
}
//! [errors]

TEST(Concepts, AnErrorIsAValueThatNamesWhatWasWrong) {
  const auto engine = infer::Engine::create(echo()).value();
  EXPECT_EQ(describe(first_number(engine, sample_of(2))), "2.000000");
  EXPECT_EQ(describe(first_number(engine, {})), "InvalidArgument: sample: has no tensor");
  EXPECT_THROW((void)first_number(engine, {}).value(), infer::BadResult);
}

TEST(Concepts, ThreadsArePlannedAndCallbacksRunOnWorkers) {
  //! [threads]
  infer::EngineOptions options;
  options.threads = infer::plan_threads(infer::usable_cores(), /*workers=*/1, /*intra_op_threads=*/1).value();
  auto engine = infer::Engine::create(echo(), options).value();

  std::promise<float> answer;
  infer::SubmitOptions how;
  how.callback = [&](infer::Result<infer::Response>&& result) {  // on a worker: be brief and do not throw
    answer.set_value(result ? result->outputs[0].as<float>()[0] : -1.0F);
  };
  ASSERT_TRUE(engine.submit(sample_of(3), std::move(how)));
  EXPECT_EQ(answer.get_future().get(), 3.0F);
  //! [threads]
}

TEST(Concepts, MemoryIsBoundedAndUsedAgain) {
  //! [memory]
  infer::EngineOptions options;
  options.batch.max_queue_size = 16;            // samples that may wait
  options.batch.max_queue_bytes = 64ULL << 20;  // and their bytes
  options.max_inflight = 8;                     // requests between admission and answer
  auto engine = infer::Engine::create(echo(), options).value();

  // Memory from the engine's pool, which keeps the buffer for its next use.
  infer::Tensor input = engine.buffers().tensor(infer::DType::kFp32, infer::Shape{4}).value();
  std::ranges::fill(input.as<float>(), 1.0F);
  EXPECT_TRUE(engine.infer({std::move(input)}));
  //! [memory]
  //! [memory-limits]
  const infer::MemoryLimits limits = infer::read_control_group().memory;
  if (limits.limit_bytes) {
    const std::uint64_t free = *limits.limit_bytes - std::min(*limits.limit_bytes, limits.used_bytes);
    std::printf("%.0f MiB left in the control group\n", static_cast<double>(free) / (1 << 20));
  }
  //! [memory-limits]
}

}  // namespace
