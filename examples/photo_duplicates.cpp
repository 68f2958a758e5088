// Groups the photographs of a folder that are alike, by perceptual hash and by the cosine of their
// embeddings.
#include <infer/image/color_layout.h>
#include <infer/image/perceptual_hash.h>
#include <infer/infer.h>
#include <infer/tools/duplicates.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tools = infer::tools;

int main(int argc, char** argv) {
  if (argc < 3) return std::puts("usage: photo_duplicates MODEL_DIR FOLDER"), 2;
  auto embedder = infer::ImageEmbedder::open(argv[1]).value();
  std::vector<tools::Photo> photos;
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
    tools::Photo photo{.path = entry.path().filename().string(),
                       .bytes = bytes.size(),
                       .width = image->width,
                       .height = image->height};
    photo.hashes.fill(infer::perceptual_hash(*image));  // empty for plain pictures, which would all match
    photo.colors = infer::color_layout(*image);         // the hash compares brightness only
    photos.push_back(std::move(photo));
    files.push_back(std::move(bytes));
  }
  const std::vector<infer::EncodedImage> images(files.begin(), files.end());
  auto embeddings = embedder.embed_many(images).value();  // one request; decodes while the workers compute
  for (std::size_t i = 0; i < photos.size(); ++i) photos[i].vector = std::move(embeddings.vectors[i]);

  tools::sort_by_preference(photos);
  const auto links = tools::find_links(photos, {.distance = 10, .cosine = 0.999F});
  for (const tools::Group& group : tools::find_groups(photos, links)) {
    for (const auto& [photo, link] : group.members) {
      std::printf("%s and %s: %d of 64 bits differ, cosine %.3f\n", photos[group.keep].path.c_str(),
                  photos[photo].path.c_str(), link.distance.value_or(64), link.cosine.value_or(0));
    }
  }
}
