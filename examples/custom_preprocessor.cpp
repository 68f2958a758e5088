// Prepares a model's input with your own code: the whole photograph is squeezed into a square, not cropped.
#include <infer/engine/open.h>
#include <infer/image/decode.h>
#include <infer/image/resize.h>

#include <cstdio>
#include <fstream>
#include <iterator>

//! [prepare]
infer::Result<infer::Sample> prepare(const std::vector<std::uint8_t>& bytes, std::size_t size) {
  auto image = infer::decode_image(bytes);
  if (!image) return infer::Unexpected(image.error());
  const infer::Image square = infer::resize_bicubic(*image, size, size, {0, 0, size, size});
  const auto edge = static_cast<std::int64_t>(size);
  auto tensor = infer::Tensor::allocate(infer::DType::kFp32, infer::Shape{3, edge, edge});
  if (!tensor) return infer::Unexpected(tensor.error());
  for (std::size_t i = 0; i < size * size; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      tensor->as<float>()[channel * size * size + i] =
          static_cast<float>(square.pixels[3 * i + channel]) / 127.5F - 1;
    }
  }
  return infer::Sample{*std::move(tensor)};
}
//! [prepare]

int main(int argc, char** argv) {
  if (argc < 3) return std::puts("usage: custom_preprocessor MODEL_DIR PHOTO"), 2;
  auto engine = infer::open_engine(argv[1]).value();
  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<std::uint8_t> photo{std::istreambuf_iterator<char>(file), {}};
  const auto& input = engine.model().backend->signature().inputs.at(0);
  auto sample = prepare(photo, static_cast<std::size_t>(input.shape[2]));
  if (!sample) return std::printf("%s: %s\n", argv[2], sample.error().message.c_str()), 1;
  const auto response = engine.infer(*std::move(sample)).value();
  std::printf("%zu numbers from a batch of %zu\n", response.outputs[0].elements(), response.batch_size);
}
