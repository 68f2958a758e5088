#include "infer/tasks/tensor_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "infer/testing/scripted_backend.h"

namespace infer {
namespace {

/// Returns its input rows, with three numbers by default.
TensorRunner echo(const Shape& shape = {3}) {
  testing::ScriptedOptions script;
  script.signature = {{{"x", DType::kFp32, shape}}, {{"x", DType::kFp32, shape}}};
  auto model = make_model("echo", testing::make_scripted_backend(script).value());
  EngineOptions options;
  options.warmup = Warmup::kNone;
  return TensorRunner(std::make_shared<Engine>(Engine::create(std::move(model), options).value()));
}

TEST(TensorRunner, RowsComeBackUnderEachOtherInTheirOrder) {
  const TensorRunner runner = echo();
  Tensor input = Tensor::allocate(DType::kFp32, Shape{50, 3}).value();
  std::iota(input.as<float>().begin(), input.as<float>().end(), 0.0F);
  const auto result = runner.run(std::span(&input, 1)).value();
  ASSERT_EQ(result.rows.size(), 50U);
  const auto outputs = result.stacked(runner.engine().model().backend->signature()).value();
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), (Shape{50, 3}));
  EXPECT_TRUE(std::ranges::equal(outputs[0].as<float>(), input.as<float>()));
}

TEST(TensorRunner, NoRowsGiveOutputsWithoutRows) {
  const TensorRunner runner = echo();
  const Tensor input = Tensor::allocate(DType::kFp32, Shape{0, 3}).value();
  const auto result = runner.run(std::span(&input, 1)).value();
  const auto outputs = result.stacked(runner.engine().model().backend->signature()).value();
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), (Shape{0, 3}));
}

TEST(TensorRunner, NoRowsOfAnOutputWhoseShapeTheyTellAreRefused) {
  const TensorRunner runner = echo({-1, 3});
  const Tensor input = Tensor::allocate(DType::kFp32, Shape{0, 2, 3}).value();
  EXPECT_EQ(runner.run(std::span(&input, 1)).error().message,
            "inputs: 0 rows do not determine the shape of output 'x', [-1,3]");
}

TEST(TensorRunner, InputsThatDoNotFitAreRefusedByName) {
  const TensorRunner runner = echo();
  EXPECT_EQ(runner.run(std::span<const Tensor>()).error().message, "inputs: 0 given, the model takes 1");
  const Tensor scalar = Tensor::allocate(DType::kFp32, Shape()).value();
  EXPECT_EQ(runner.run(std::span(&scalar, 1)).error().message,
            "x: shape [] lacks the number of rows as first dimension");
  const Tensor wide = Tensor::allocate(DType::kFp32, Shape{1, 4}).value();
  EXPECT_EQ(runner.run(std::span(&wide, 1)).error().message, "rows[0]: x: shape [4], the model takes [3]");
}

}  // namespace
}  // namespace infer
