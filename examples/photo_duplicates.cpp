// Finds pairs of similar photographs in a folder, by perceptual hash and by the cosine of their embeddings.
#include <infer/image/perceptual_hash.h>
#include <infer/infer.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>

struct Photo {
  std::string name;
  std::optional<std::uint64_t> hash;  // no hash for a plain picture: all plain pictures would match
  std::vector<float> vector;
};

int main(int argc, char** argv) {
  if (argc < 3) return std::puts("usage: photo_duplicates MODEL_DIR FOLDER"), 2;
  auto embedder = infer::ImageEmbedder::open(argv[1]).value();
  std::vector<Photo> photos;
  std::vector<std::vector<std::uint8_t>> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    const auto image = infer::decode_image(bytes);
    if (!image) {
      std::printf("%s: %s\n", entry.path().c_str(), image.error().message.c_str());
      continue;
    }
    photos.push_back({entry.path().filename().string(), infer::perceptual_hash(*image), {}});
    files.push_back(std::move(bytes));
  }
  const std::vector<infer::EncodedImage> images(files.begin(), files.end());
  auto embeddings = embedder.embed_many(images).value();  // one request; decodes while the workers compute
  for (std::size_t i = 0; i < photos.size(); ++i) photos[i].vector = std::move(embeddings.vectors[i]);

  for (std::size_t i = 0; i < photos.size(); ++i) {
    for (std::size_t j = i + 1; j < photos.size(); ++j) {
      const Photo& a = photos[i];
      const Photo& b = photos[j];
      const int bits = a.hash && b.hash ? infer::hash_distance(*a.hash, *b.hash) : 64;
      // The dot product of unit vectors is their cosine.
      const float cosine = std::inner_product(a.vector.begin(), a.vector.end(), b.vector.begin(), 0.0F);
      if (bits <= 10 || cosine >= 0.999F)
        std::printf("%s and %s: %d of 64 bits differ, cosine %.3f\n", a.name.c_str(), b.name.c_str(), bits,
                    cosine);
    }
  }
}
