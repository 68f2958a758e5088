// The same answers on a GPU as on the CPU; skipped, with the reason, where there is none.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "image/golden.h"
#include "infer/infer.h"
#include "small_clip.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

TEST(Cuda, EmbeddingsAgreeWithTheCpuAloneAndInBatches) {
  const fs::path folder = fs::temp_directory_path() / ("infer-cuda-" + std::to_string(getpid()));
  fs::remove_all(folder);
  const ClipVitConfig config = testing::small_clip();
  ASSERT_TRUE(create_clip_vit(config, 1, folder / "small"));
  OpenOptions options;
  options.device = "cuda:0";
  const auto cuda = ImageEmbedder::open(folder / "small", options);
  const auto cpu = ImageEmbedder::open(folder / "small").value();
  fs::remove_all(folder);
  if (!cuda && cuda.error().code == ErrorCode::kFailedPrecondition) GTEST_SKIP() << cuda.error().message;
  ASSERT_TRUE(cuda) << cuda.error().message;
  std::vector<testing::Bytes> photos;
  for (const auto& golden : testing::goldens("photo")) photos.push_back(testing::read_bytes(golden.encoded));
  const std::vector<EncodedImage> images(photos.begin(), photos.end());
  const auto together = cuda->embed_many(images).value();
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto reference = cpu.embed(images[i]).value();
    const auto alone = cuda->embed(images[i]).value();
    const auto cosine = [&](const std::vector<float>& v) {
      return std::inner_product(v.begin(), v.end(), reference.begin(), 0.0);
    };
    EXPECT_GE(cosine(alone), 0.9999);
    EXPECT_GE(cosine(together.vectors[i]), 0.9999);
  }
}

}  // namespace
}  // namespace infer
