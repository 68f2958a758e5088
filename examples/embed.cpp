#include <infer/infer.h>

#include <cstdio>
#include <fstream>
#include <iterator>

int main(int argc, char** argv) {
  if (argc < 3) return std::puts("usage: embed MODEL_DIR PHOTO"), 2;
  auto embedder = infer::ImageEmbedder::open(argv[1]).value();
  std::ifstream file(argv[2], std::ios::binary);
  std::vector<std::uint8_t> photo{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> v = embedder.embed(photo).value();
  std::printf("%zu numbers, the first is %f\n", v.size(), v[0]);
}
