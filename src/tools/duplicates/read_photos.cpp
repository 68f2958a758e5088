#include "infer/tools/read_photos.h"

#include <sys/stat.h>

#include <algorithm>
#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/digest.h"
#include "infer/image/color_layout.h"
#include "infer/image/perceptual_hash.h"
#include "infer/machine/cpu.h"
#include "infer/tools/embed_folder.h"
#include "infer/tools/image_files.h"
#include "tools/folder/ordered_pipeline.h"
#include "tools/folder/photo_reader.h"

namespace infer::inline v0::tools {
namespace {

/// Identifies a file independently of its path.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

struct Seen {
  Photo photo;
  std::optional<Error> error;
};

/// Decodes an image and sets the properties of the photograph that its pixels determine. Holds no image
/// while it decodes another, because threads that wait for memory while holding some could deadlock.
Result<Image> look_at(const std::string& path, const DecodeLimits& limits, Photo& photo) {
  auto bytes = read_photo(path);
  if (!bytes) return Unexpected(bytes.error());
  photo.path = path;
  photo.bytes = bytes->size();
  photo.sha256 = sha256(std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  bool transparent = false;
  for (std::size_t i = 0; i < photo.hashes.size(); ++i) {
    const auto over = decode_over(*bytes, i == 0 ? 255 : 0, limits);
    if (!over || !*over) continue;
    photo.hashes[i] = perceptual_hash(**over);
    if (i == 0) photo.colors = color_layout(**over);
    transparent = true;
  }
  auto image = decode_image(*bytes, limits);
  if (!image) return image;
  photo.width = image->width;
  photo.height = image->height;
  if (!transparent) {
    photo.hashes.fill(perceptual_hash(*image));
    photo.colors = color_layout(*image);
  }
  return image;
}

/// A model finds pictures without content similar, so such pictures match only by their bytes.
bool has_content(const Photo& photo) {
  return std::ranges::any_of(photo.hashes, [](const auto& hash) { return hash.has_value(); });
}

}  // namespace

PhotoFolder read_photos(const ReadPhotosOptions& options, const ReadPhotosEvents& events,
                        const std::stop_token& stop) {
  PhotoFolder folder;
  std::mutex events_mutex;
  const auto skip = [&](const std::string& path, const std::string& why) {
    const std::lock_guard lock(events_mutex);
    if (events.skipped) events.skipped(path, why);
    ++folder.skipped;
  };
  ImageFiles files({options.folder}, options.recursive, {}, skip);
  // Hard links to one file count as one photograph and symbolic links are skipped, because removing such a
  // "duplicate" could remove the only copy or leave a broken link.
  std::map<FileId, std::string> first_path;
  std::map<std::string, std::vector<std::string>> also;
  const auto next_photograph = [&]() -> std::optional<std::string> {
    while (auto path = files.next()) {
      struct stat status {};
      if (::lstat(path->c_str(), &status) != 0) return path;  // reading the file reports the error
      if (S_ISLNK(status.st_mode)) {
        ++folder.symbolic_links;
        continue;
      }
      const auto [known, is_new] = first_path.emplace(FileId{status.st_dev, status.st_ino}, *path);
      if (is_new) return path;
      also[known->second].push_back(*path);
    }
    return std::nullopt;
  };
  const std::size_t cores = usable_cores();
  OrderedPipeline<Seen> pipeline(
      cores, options.embedder != nullptr ? folder_window(options.embedder->engine()) : 4 * cores);
  pipeline.run(
      next_photograph,
      [&](std::size_t index, const std::string& path, auto& results) {
        auto seen = std::make_shared<Seen>();
        seen->photo.path = path;
        auto image = look_at(path, options.limits, seen->photo);
        if (!image) {
          seen->error = image.error();
        } else if (options.embedder != nullptr && has_content(seen->photo)) {
          auto started = options.embedder->embed_async(
              *image, {}, [&results, index, seen](Result<std::vector<float>>&& vector) {
                if (vector) {
                  seen->photo.vector = *std::move(vector);
                } else {
                  seen->error = vector.error();
                }
                results.finish(index, std::move(*seen));
              });
          if (started) return;
          seen->error = started.error();
        }
        results.finish(index, std::move(*seen));
      },
      [&](Seen&& seen) {
        if (seen.error) {
          skip(seen.photo.path, seen.error->message);
        } else {
          folder.photos.push_back(std::move(seen.photo));
        }
        const std::lock_guard lock(events_mutex);
        if (events.progress) events.progress(folder.photos.size(), folder.skipped);
      },
      stop);
  for (Photo& photo : folder.photos) photo.also = std::move(also[photo.path]);
  sort_by_preference(folder.photos);
  return folder;
}

}  // namespace infer::inline v0::tools
