#include "infer/tools/image_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "infer/image/decode.h"

namespace infer::inline v0::tools {
namespace {

namespace fs = std::filesystem;

bool has_image_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension.empty()) return false;
  return std::ranges::any_of(image_formats(), [&](const ImageFormat& format) {
    return std::ranges::find(format.extensions, extension) != format.extensions.end();
  });
}

/// Whether the file begins with the bytes of an image, whatever its name. False for an unreadable file.
bool begins_as_image(const fs::path& path, std::error_code& error) {
  std::array<char, 16> head{};
  std::ifstream file(path, std::ios::binary);
  if (!file && errno != EACCES) error.assign(errno, std::generic_category());
  file.read(head.data(), head.size());
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(head.data());
  return image_format({bytes, static_cast<std::size_t>(file.gcount())}) != nullptr;
}

}  // namespace

Result<Shard> Shard::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  std::size_t index = 0;
  std::size_t count = 0;
  const auto number = [](std::string_view digits, std::size_t& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (slash == std::string::npos || !number(std::string_view(text).substr(0, slash), index) ||
      !number(std::string_view(text).substr(slash + 1), count) || index < 1 || index > count) {
    return fail(ErrorCode::kInvalidArgument, "shard: '" + text + "' is not I/N with I from 1 to N");
  }
  return Shard{index - 1, count};
}

bool Shard::takes(const std::string& path) const noexcept {
  if (count == 1) return true;
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a, 64 bits (Fowler, Noll, Vo)
  for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return (hash ^ (hash >> 32)) % count == index;
}

ImageFiles::ImageFiles(std::vector<std::string> paths, bool recursive, Shard shard, OnError on_error)
    : paths_(std::move(paths)), recursive_(recursive), shard_(shard), on_error_(std::move(on_error)) {}

void ImageFiles::enter(const std::string& path) {
  Folder folder;
  folder.path = path;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code of_entry;
    std::error_code of_link;
    const std::string name = entry->path().filename().string();
    if (entry->is_directory(of_entry)) {
      if (recursive_ && !entry->is_symlink(of_link)) folder.folders.push_back(name);
    } else if (entry->is_regular_file(of_entry) &&
               (has_image_extension(entry->path()) || begins_as_image(entry->path(), of_entry))) {
      folder.files.push_back(name);
    }
    if (of_entry && of_entry != std::errc::no_such_file_or_directory &&
        (has_image_extension(entry->path()) || !entry->is_symlink(of_link)))
      on_error_(entry->path().string(), of_entry.message());
  }
  if (error) on_error_(path, error.message());
  std::sort(folder.files.begin(), folder.files.end());
  std::sort(folder.folders.begin(), folder.folders.end());
  stack_.push_back(std::move(folder));
}

std::optional<std::string> ImageFiles::next() {
  while (true) {
    if (stack_.empty()) {
      if (next_path_ == paths_.size()) return std::nullopt;
      const std::string& path = paths_[next_path_++];
      std::error_code error;
      const fs::file_status status = fs::status(path, error);
      if (fs::is_directory(status)) {
        enter(path);
      } else if (!fs::exists(status)) {
        on_error_(path, error ? error.message() : "no such file or folder");
      } else if (shard_.takes(path)) {
        return path;
      }
      continue;
    }
    Folder& folder = stack_.back();
    if (folder.next_file < folder.files.size()) {
      std::string path = (fs::path(folder.path) / folder.files[folder.next_file++]).string();
      if (shard_.takes(path)) return path;
    } else if (folder.next_folder < folder.folders.size()) {
      const std::string path = (fs::path(folder.path) / folder.folders[folder.next_folder++]).string();
      enter(path);  // invalidates `folder`
    } else {
      stack_.pop_back();
    }
  }
}

}  // namespace infer::inline v0::tools
