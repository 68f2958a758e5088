#include "tools/folder/photo_reader.h"

#include <simdjson.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

namespace infer::inline v0::tools {
namespace {

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{256} << 20;

}  // namespace

Result<std::vector<std::uint8_t>> read_photo(const std::string& path) {
  if (!simdjson::validate_utf8(path)) return fail(ErrorCode::kInvalidArgument, "the name is not UTF-8");
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorCode::kNotFound, error.message());
  if (size > kMaxBytes) {
    return fail(ErrorCode::kInvalidArgument,
                std::to_string(size) + " bytes exceed the limit of " + std::to_string(kMaxBytes));
  }
  try {
    std::vector<std::uint8_t> bytes(size);
    std::ifstream file(path, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
      return fail(ErrorCode::kNotFound, std::strerror(errno));
    }
    return bytes;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

}  // namespace infer::inline v0::tools
