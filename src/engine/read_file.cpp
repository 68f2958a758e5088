#include "read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace infer::inline v0 {

Error unreadable(const std::filesystem::path& file, int error) {
  const bool full = error == EMFILE || error == ENFILE;
  return {full ? ErrorCode::kUnavailable : ErrorCode::kNotFound,
          file.string() + (error == ENOENT ? ": no such file"
                                           : ": cannot be read: " + std::generic_category().message(error)),
          {}};
}

Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  std::string content;
  std::vector<char> block(std::size_t{1} << 16);
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && content.size() <= limit) {
    got = read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      got = 1;
    } else if (got > 0) {
      content.append(block.data(), static_cast<std::size_t>(got));
    }
  }
  const int error = errno;
  if (fd >= 0) close(fd);
  if (got < 0) return Unexpected(unreadable(file, error));
  if (content.size() > limit)
    return fail(ErrorCode::kInvalidArgument,
                file.string() + ": is larger than the limit of " + std::to_string(limit) + " bytes");
  return content;
}

}  // namespace infer::inline v0
