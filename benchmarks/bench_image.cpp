// Measures each step from encoded bytes to a model's input.

#include <benchmark/benchmark.h>

#include "image/golden.h"
#include "infer/image/decode.h"
#include "infer/image/preprocess.h"
#include "infer/image/resize.h"

namespace {

using infer::testing::Bytes;

Bytes photo(const char* name) { return infer::testing::read_bytes(infer::testing::golden(name).encoded); }

void decode(benchmark::State& state, const char* name) {
  const Bytes bytes = photo(name);
  for (auto _ : state) benchmark::DoNotOptimize(infer::decode_image(bytes).value());
}
BENCHMARK_CAPTURE(decode, jpeg_640x427, "china");
BENCHMARK_CAPTURE(decode, jpeg_1411x1411, "retina");
BENCHMARK_CAPTURE(decode, png_512x512, "astronaut");

void resize_and_crop(benchmark::State& state, const char* name) {
  const infer::Image image = infer::decode_image(photo(name)).value();
  const bool wide = image.width > image.height;
  const std::size_t width = wide ? 224 * image.width / image.height : 224;
  const std::size_t height = wide ? 224 : 224 * image.height / image.width;
  const infer::CropBox crop{(width - 224) / 2, (height - 224) / 2, 224, 224};
  for (auto _ : state) benchmark::DoNotOptimize(infer::resize_bicubic(image, width, height, crop));
}
BENCHMARK_CAPTURE(resize_and_crop, from_640x427, "china");
BENCHMARK_CAPTURE(resize_and_crop, from_1411x1411, "retina");

void decode_to_input(benchmark::State& state, const char* name) {
  const Bytes bytes = photo(name);
  std::vector<float> out(3 * 224 * 224);
  for (auto _ : state) {
    infer::preprocess_image(infer::decode_image(bytes).value(), {}, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK_CAPTURE(decode_to_input, from_640x427, "china");

}  // namespace
