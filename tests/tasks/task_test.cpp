// Tests what code that uses models may assume for every task.

#include "infer/tasks/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "infer/tasks/simulator.h"
#include "infer/testing/scripted_backend.h"

namespace infer::inline v0 {
namespace {

std::shared_ptr<Engine> scripted(const std::string& task, ModelSignature signature) {
  testing::ScriptedOptions script;
  script.signature = std::move(signature);
  Manifest manifest;
  manifest.task = task;
  EngineOptions options;
  options.warmup = Warmup::kNone;
  return std::make_shared<Engine>(
      Engine::create(make_model("m", testing::make_scripted_backend(script).value(), manifest), options)
          .value());
}

const ModelSignature kVector{{{"x", DType::kFp32, Shape{4}}}, {{"y", DType::kFp32, Shape{4}}}};

TEST(Task, EachNameIsOnceInTheTableAndTheTableIsSorted) {
  std::set<std::string_view> names;
  for (const TaskRow& row : tasks()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
  EXPECT_TRUE(std::ranges::is_sorted(tasks(), {}, &TaskRow::name));
}

TEST(Task, AnUnknownOneIsRefusedWithTheKnownOnes) {
  Manifest manifest;
  manifest.task = "imagine";
  EXPECT_EQ(find_task(manifest, "models/x").error().message,
            "models/x: infer.json: task: 'imagine' is not one of forecast, image-embedding, raw, simulate, "
            "text-classification, text-embedding");
  EXPECT_EQ(make_task(scripted("imagine", kVector)).error().code, ErrorCode::kInvalidArgument);
}

TEST(Task, ASignatureThatATaskCannotWorkWithIsRefused) {
  for (const TaskRow& row : tasks()) {
    if (row.name == "raw") continue;
    const auto made = make_task(scripted(std::string(row.name), kVector));
    ASSERT_FALSE(made) << row.name;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument) << row.name << made.error().message;
  }
}

TEST(Task, GivesTheClassThatDoesTheWorkAndNoOther) {
  const ModelSignature pair{{{"work", DType::kFp64, Shape{2}}}, {{"work", DType::kFp64, Shape{2}}}};
  const auto simulator = make_task(scripted("simulate", pair)).value();
  EXPECT_NE(simulator->as<Simulator>(), nullptr);
  EXPECT_EQ(simulator->as<ImageEmbedder>(), nullptr);
  EXPECT_EQ(make_task(scripted("raw", kVector)).value()->as<Simulator>(), nullptr);
}

TEST(Task, WhatTakesNeitherImagesNorTextsSaysSo) {
  const auto raw = make_task(scripted("raw", kVector)).value();
  EXPECT_EQ(raw->input(), TaskInput::kTensors);
  EXPECT_EQ(raw->answer("text").error().code, ErrorCode::kUnimplemented);
  EXPECT_EQ(raw->prepare_image({}).error().message, "m: task raw takes neither images nor texts");
}

TEST(Task, RecordedInputsAreTheSameEachTimeAndDifferFromEachOther) {
  const ModelSignature image{{{"pixels", DType::kFp32, Shape{3, 16, 16}}},
                             {{"pixels", DType::kFp32, Shape{3, 16, 16}}}};
  const auto raw = make_task(scripted("raw", image)).value();
  ASSERT_GE(raw->recorded(), 2U);
  const auto answer = raw->recorded_answer(0).value();
  ASSERT_EQ(answer.size(), 1U) << "one vector for each output";
  const std::vector<float>& first = answer.front();
  EXPECT_EQ(answer, raw->recorded_answer(0).value());
  EXPECT_NE(answer, raw->recorded_answer(1).value());
  EXPECT_TRUE(std::ranges::all_of(first, [](float value) { return std::isfinite(value); }));
}

TEST(Task, WithoutFixedShapesNothingIsRecorded) {
  const ModelSignature open{{{"x", DType::kFp32, Shape{-1}}}, {{"x", DType::kFp32, Shape{-1}}}};
  EXPECT_EQ(make_task(scripted("raw", open)).value()->recorded(), 0U);
}

}  // namespace
}  // namespace infer::inline v0
