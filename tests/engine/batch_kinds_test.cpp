// Only samples with inputs of equal dtypes and shapes may share a batch, whatever shapes clients send.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>

#include "engine/stack.h"
#include "engine_fixture.h"

namespace infer {
namespace {

using std::chrono::milliseconds;
using testing::ScriptedOptions;

/// Returns each input. Declares no shapes.
ModelSignature echo_signature() {
  const std::vector<TensorSpec> specs{{"a", DType::kFp32, {}, true}, {"b", DType::kUint8, {}, true}};
  return {specs, specs};
}

/// An engine whose queue is served only by `drain` and by full batches.
Engine echo_engine(ModelSignature signature = echo_signature(),
                   std::function<Result<void>(std::span<const Tensor>)> before = nullptr) {
  ScriptedOptions script;
  script.signature = std::move(signature);
  script.before = std::move(before);
  EngineOptions options;
  options.batch.max_queue_delay = std::chrono::hours(1);
  return testing::scripted_engine(script, options);
}

/// Returns a tensor whose bytes all equal `mark`.
Tensor marked(DType dtype, const Shape& shape, int mark) {
  auto tensor = Tensor::allocate(dtype, shape).value();
  if (tensor.bytes() > 0) std::memset(tensor.data(), mark, tensor.bytes());
  return tensor;
}

bool is_marked(const Tensor& tensor, int mark) {
  return std::all_of(tensor.data(), tensor.data() + tensor.bytes(),
                     [&](std::byte byte) { return byte == static_cast<std::byte>(mark); });
}

/// Sends all samples and expects that each gets its own bytes and shape. Returns how many were refused for
/// their size.
std::size_t expect_own_bytes(const std::vector<std::vector<Shape>>& samples,
                             const ModelSignature& signature) {
  Engine engine = echo_engine(signature);
  std::vector<std::optional<Pending>> pending(samples.size());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Sample sample;
    for (std::size_t input = 0; input < samples[i].size(); ++input)
      sample.push_back(marked(signature.inputs[input].dtype, samples[i][input], static_cast<int>(i + 1)));
    auto sent = engine.submit(std::move(sample));
    if (sent) {
      pending[i] = *std::move(sent);
    } else {
      EXPECT_NE(sent.error().message.find("is too large"), std::string::npos) << sent.error().message;
      ++refused;
    }
  }
  EXPECT_TRUE(engine.drain(milliseconds(60'000)).in_time);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!pending[i]) continue;
    auto response = pending[i]->get();
    EXPECT_TRUE(response) << i;
    if (!response || response->outputs.size() != samples[i].size()) continue;
    for (std::size_t input = 0; input < samples[i].size(); ++input) {
      const Tensor& output = response->outputs[input];
      EXPECT_EQ(output.shape(), samples[i][input]) << i;
      EXPECT_EQ(output.dtype(), signature.inputs[input].dtype) << i;
      EXPECT_TRUE(is_marked(output, static_cast<int>(i + 1))) << i;
    }
  }
  return refused;
}

TEST(Promise7BatchIndependence, ShapesOfEqualHashDoNotMeet) {
  const std::vector<TensorSpec> specs{{"x", DType::kFp32, Shape{-1, -1}}};
  const std::vector<Shape> empty{{0, 1'099'511'693'773}};
  const std::vector<Shape> full{{3, 65'536}};
  EXPECT_EQ(expect_own_bytes({empty, full, empty, full}, {specs, specs}), 0u);
  EXPECT_EQ(expect_own_bytes({full, empty}, {specs, specs}), 0u);
}

TEST(Promise7BatchIndependence, EveryInputMustBeOfOneShapeNotTheFirstAlone) {
  EXPECT_EQ(expect_own_bytes(
                {{{4}, {2}}, {{4}, {3}}, {{4}, {2}}, {{4}, {0}}, {{2, 2}, {2}}, {{4}, {2, 1}}, {{}, {2}}},
                echo_signature()),
            0u);
}

TEST(Promise7BatchIndependence, NobodyGetsBytesOfAnotherWhateverTheShapes) {
  constexpr std::int64_t kDims[] = {0, 0, 1, 1, 2, 3, 5, 64, 257};
  constexpr std::int64_t kHuge[] = {65'536, 1'099'511'693'773, std::int64_t{1} << 46};
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t bound) { return random() % bound; };
    std::vector<Shape> pool;  // few shapes, so that some are equal
    for (int i = 0; i < 4; ++i) {
      std::vector<std::int64_t> dims(below(4));
      for (auto& dim : dims) dim = kDims[below(std::size(kDims))];
      if (std::find(dims.begin(), dims.end(), 0) != dims.end() && below(2) == 0) {
        for (auto& dim : dims) {
          if (dim == 0) continue;
          dim = kHuge[below(std::size(kHuge))];
          break;
        }
      }
      pool.emplace_back(dims);
    }
    std::vector<std::vector<Shape>> samples(1 + below(24));
    for (auto& sample : samples) sample = {pool[below(pool.size())], pool[below(pool.size())]};
    (void)expect_own_bytes(samples, echo_signature());  // may be refused or served
  }
}

TEST(Promise7BatchIndependence, WhatCannotBeStackedIsAnErrorWhateverLedThere) {
  const BufferPool pool;
  const auto stacked = [&](const Tensor& a, const Tensor& b) {
    return stack(pool, 2, [&](std::size_t i) -> const Tensor& { return i == 0 ? a : b; });
  };
  const Tensor small = marked(DType::kUint8, {4}, 1);
  for (const Tensor& other :
       {marked(DType::kUint8, {5}, 2), marked(DType::kUint8, {2, 2}, 2), marked(DType::kUint8, {0}, 2),
        marked(DType::kFp32, {4}, 2), marked(DType::kUint8, {0, 1'099'511'693'773}, 2)}) {
    for (const auto& result : {stacked(small, other), stacked(other, small)}) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::kInternal);
    }
  }
  const Tensor no_room = marked(DType::kUint8, {2, 2, 2, 2, 2, 2, 2, 2}, 1);
  EXPECT_FALSE(stacked(no_room, no_room)) << "the batch would exceed the maximum number of dimensions";
  const auto good = stacked(small, marked(DType::kUint8, {4}, 1));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->shape(), (Shape{2, 4}));
  EXPECT_TRUE(is_marked(*good, 1));
}

TEST(Promise7BatchIndependence, SizesThatNoMachineHasAreRefusedBeforeTheyAreMultiplied) {
  Engine engine = echo_engine();
  std::byte one{};
  const auto refusal = [&](const Shape& shape) {
    Sample sample{Tensor::wrap(DType::kFp32, shape, nullptr, &one), marked(DType::kUint8, {1}, 1)};
    auto pending = engine.submit(std::move(sample));
    return pending ? std::string()
                   : std::string(to_string(pending.error().code)) + " " + pending.error().message;
  };
  const std::int64_t half = std::int64_t{1} << 32;
  EXPECT_EQ(refusal({half, half}),
            "InvalidArgument a: shape [4294967296,4294967296] is too large: the product of its "
            "dimensions other than 0 exceeds 281474976710656 bytes");
  for (const Shape& shape :
       {Shape{half, half, 0}, Shape{0, half, half}, Shape{half, half, 1}, Shape{std::int64_t{1} << 62},
        Shape{std::numeric_limits<std::int64_t>::max(), 0}}) {
    EXPECT_NE(refusal(shape).find("is too large"), std::string::npos) << shape.text();
  }
  EXPECT_EQ(refusal({-1, 4}), "InvalidArgument a: shape [-1,4] has a negative dimension");
  EXPECT_EQ(refusal({1, 1, 1, 1, 1, 1, 1, 1}),
            "InvalidArgument a: shape [1,1,1,1,1,1,1,1] has 8 dimensions, a sample may have at most 7");
  EXPECT_NE(refusal({std::int64_t{1} << 40}).find("exceeds max_queue_bytes"), std::string::npos);
  EXPECT_EQ(engine.stats().inflight, 0u);
}

TEST(Promise7BatchIndependence, EqualShapesStillShareABatch) {
  std::vector<std::size_t> sizes;
  Engine engine = echo_engine(echo_signature(), [&](std::span<const Tensor> inputs) -> Result<void> {
    sizes.push_back(static_cast<std::size_t>(inputs[0].shape()[0]));
    return {};
  });
  for (int i = 0; i < 6; ++i) {
    const Shape shape{i % 2 == 0 ? 4 : 5};
    ASSERT_TRUE(engine.submit({marked(DType::kFp32, shape, i), marked(DType::kUint8, {1}, i)}));
  }
  ASSERT_TRUE(engine.drain(milliseconds(10'000)).in_time);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 1, 1}))
      << "three equal samples make batches of two and one";
}

}  // namespace
}  // namespace infer
