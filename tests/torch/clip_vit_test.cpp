#include "infer/models/clip_vit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "image/golden.h"
#include "infer/engine/machine_limit.h"
#include "infer/engine/torchscript.h"
#include "infer/infer.h"
#include "infer/models/quantize.h"
#include "small_clip.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

double cosine(std::span<const float> a, std::span<const float> b) {
  const auto dot = [](std::span<const float> x, std::span<const float> y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

class SmallClip : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    prepare_torch_process(1);
    folder_ = fs::temp_directory_path() / ("infer-clip-" + std::to_string(getpid()));
    fs::remove_all(folder_);
    const ClipVitConfig config = testing::small_clip();
    ASSERT_TRUE(create_clip_vit(config, 1, folder_ / "small"));
    ASSERT_TRUE(create_clip_vit(config, 1, folder_ / "same"));
    ASSERT_TRUE(create_clip_vit(config, 2, folder_ / "other"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static fs::path folder_;
};

fs::path SmallClip::folder_;

TEST_F(SmallClip, TheEmbeddingIsAUnitVectorAndThatOfPillowsPixels) {
  const auto embedder = ImageEmbedder::open(folder_ / "small").value();
  EXPECT_EQ(embedder.dim(), 512u);
  const ImagePreprocess preprocess;
  for (const auto& golden : testing::goldens("photo")) {
    const auto vector = embedder.embed(testing::read_bytes(golden.encoded));
    ASSERT_TRUE(vector) << vector.error().message;
    EXPECT_NEAR(cosine(*vector, *vector), 1.0, 1e-6);
    EXPECT_NEAR(std::inner_product(vector->begin(), vector->end(), vector->begin(), 0.0), 1.0, 1e-5);
    auto input = Tensor::allocate(DType::kFp32, Shape{3, 224, 224}).value();
    const auto pixels = testing::read_bytes(golden.pixels);
    for (std::size_t i = 0; i < 224 * 224; ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        input.as<float>()[c * 224 * 224 + i] =
            (static_cast<float>(pixels[i * 3 + c]) / 255.0F - preprocess.mean[c]) / preprocess.std[c];
      }
    }
    const auto reference = embedder.engine().infer({input}).value();
    EXPECT_GE(cosine(*vector, reference.outputs[0].as<float>()), 0.9999) << golden.name;
  }
}

TEST_F(SmallClip, OperationsAreThoseOfItsProductsAndAttention) {
  const auto model = load_model(folder_ / "small").value();
  const auto config = testing::small_clip();
  const auto tokens = static_cast<double>(7 * 7 + 1);
  const auto width = static_cast<double>(config.width);
  const auto mlp = static_cast<double>(config.mlp_width);
  const auto layers = static_cast<double>(config.layers);
  const double expected =
      2 * (layers * tokens * (4 * width * width + 2 * width * mlp) + layers * 2 * tokens * tokens * width +
           49 * (3 * 32 * 32) * width + width * static_cast<double>(config.embedding_size));
  for (const std::int64_t batch : {1, 3}) {
    auto input = Tensor::allocate(DType::kFp32, Shape{batch, 3, 224, 224}).value();
    std::ranges::fill(input.as<float>(), 0.5F);
    EXPECT_DOUBLE_EQ(count_operations(*model.backend, std::span(&input, 1)).value(),
                     static_cast<double>(batch) * expected);
  }
}

TEST_F(SmallClip, APeakIsMeasuredForThePrecisionsThereAre) {
  for (const char* precision : {"fp32", "bf16", "int8"}) {
    const auto peak = measure_peak(precision, 0.01);
    if (!peak && precision != std::string_view("fp32")) {  // the CPU has no instructions for this precision
      EXPECT_EQ(peak.error().code, ErrorCode::kUnimplemented) << peak.error().message;
      continue;
    }
    ASSERT_TRUE(peak) << peak.error().message;
    EXPECT_GT(*peak, 1e8);
  }
  EXPECT_EQ(measure_peak("int4", 0.01).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SmallClip, InInt8AnImagesAnswerHardlyDependsOnTheOthersOfItsBatch) {
  quantize_model(folder_ / "small", {}, folder_ / "small-int8").value();
  const auto model = load_model(folder_ / "small-int8").value();
  constexpr std::size_t kImage = 3 * 224 * 224;
  constexpr std::size_t kCount = 4;
  auto batch = Tensor::allocate(DType::kFp32, Shape{kCount, 3, 224, 224}).value();
  std::uint32_t seed = 1;
  for (std::size_t i = 0; i < kCount * kImage; ++i) {  // grey with increasing noise
    seed = seed * 1664525U + 1013904223U;
    batch.as<float>()[i] = static_cast<float>(i / kImage) * (static_cast<float>(seed >> 16) / 65536 - 0.5F);
  }
  const auto together = model.backend->forward(std::span(&batch, 1)).value();
  for (std::size_t i = 0; i < kCount; ++i) {
    const Tensor one = batch.row(i).reshaped(Shape{1, 3, 224, 224});
    const auto alone = model.backend->forward(std::span(&one, 1)).value();
    EXPECT_GE(cosine(alone[0].as<float>(), together[0].row(i).as<float>()), 0.999) << i;
  }
}

TEST_F(SmallClip, TheSameSeedGivesTheSameWeights) {
  const auto photo = testing::read_bytes(testing::golden("rocket").encoded);
  const auto embed = [&](const char* name) {
    return ImageEmbedder::open(folder_ / name).value().embed(photo).value();
  };
  const auto small = embed("small");
  EXPECT_EQ(small, embed("same"));
  EXPECT_NE(small, embed("other"));
}

TEST_F(SmallClip, Promise7AResultDoesNotDependOnItsBatch) {
  OpenOptions options;
  options.workers = 1;
  options.intra_op_threads = 1;
  const auto embedder = ImageEmbedder::open(folder_ / "small", options).value();
  std::vector<testing::Bytes> photos;
  for (const auto& golden : testing::goldens("photo")) photos.push_back(testing::read_bytes(golden.encoded));
  std::vector<EncodedImage> images(photos.begin(), photos.end());
  const auto together = embedder.embed_many(images).value();
  EXPECT_GT(together.batch_size, 1u);
  double worst = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto alone = embedder.embed(images[i]).value();
    for (std::size_t j = 0; j < alone.size(); ++j) {
      worst = std::max(worst,
                       std::abs(static_cast<double>(alone[j]) - static_cast<double>(together.vectors[i][j])));
    }
  }
  EXPECT_LE(worst, 1e-5);
  RecordProperty("worst_difference", std::to_string(worst));
}

TEST_F(SmallClip, TheManifestSaysThatTheWeightsAreRandom) {
  EXPECT_EQ(read_manifest(folder_ / "small").value().weights, "random");
}

TEST_F(SmallClip, AFolderIsNeverOverwrittenAndSizesAreChecked) {
  EXPECT_EQ(create_clip_vit({}, 1, folder_ / "small").error().code, ErrorCode::kFailedPrecondition);
  ClipVitConfig config;
  config.patch_size = 33;
  EXPECT_EQ(create_clip_vit(config, 1, folder_ / "new").error().message,
            "image_size: 224 is not a multiple of patch_size 33 in 1 to 4096");
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(SmallClip, ManyImagesComeBackInOrderAndABadOneIsNamed) {
  const auto embedder = ImageEmbedder::open(folder_ / "small").value();
  const auto rocket = testing::read_bytes(testing::golden("rocket").encoded);
  const auto coffee = testing::read_bytes(testing::golden("coffee").encoded);
  std::vector<EncodedImage> images;
  for (int i = 0; i < 40; ++i) images.push_back(i % 2 == 0 ? rocket : coffee);
  const auto vectors = embedder.embed_many(images).value().vectors;
  ASSERT_EQ(vectors.size(), 40u);
  EXPECT_GT(cosine(vectors[0], vectors[38]), 0.99999);
  EXPECT_GT(cosine(vectors[1], vectors[39]), 0.99999);
  EXPECT_LT(cosine(vectors[0], vectors[1]), 0.9999);
  const testing::Bytes junk{1, 2, 3};
  images[17] = junk;
  const auto failed = embedder.embed_many(images);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "images[17]: image is neither JPEG nor PNG");
  EXPECT_EQ(embedder.engine().drain(std::chrono::milliseconds(10000)).in_time, true);
}

TEST_F(SmallClip, AsyncCallsBackOnceWithTheSameVector) {
  const auto embedder = ImageEmbedder::open(folder_ / "small").value();
  const auto rocket = testing::read_bytes(testing::golden("rocket").encoded);
  const auto expected = embedder.embed(rocket).value();
  std::atomic<int> calls{0};
  std::vector<float> found;
  ASSERT_TRUE(embedder.embed_async(rocket, {}, [&](Result<std::vector<float>>&& result) {
    found = std::move(result).value();
    ++calls;
    calls.notify_all();
  }));
  calls.wait(0);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5);

  RequestOptions late;
  late.deadline = embedder.engine().clock().now();
  EXPECT_EQ(embedder.embed(rocket, late).error().code, ErrorCode::kDeadlineExceeded);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(embedder.embed(rocket, {kNever, source.get_token()}).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace infer
