#include "durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace infer::inline v0 {
namespace {

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(fd) == 0;
}

}  // namespace

Result<void> write_durably(const std::filesystem::path& file, std::string_view content) {
  const std::filesystem::path next = file.string() + "." + std::to_string(getpid());
  const auto cannot = [&] {
    const std::string reason = std::generic_category().message(errno);
    unlink(next.c_str());
    return fail(ErrorCode::kFailedPrecondition, file.string() + ": cannot be written: " + reason);
  };
  const int fd = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return cannot();
  const bool written = write_all(fd, content);
  const bool closed = close(fd) == 0;
  if (!written || !closed || rename(next.c_str(), file.c_str()) != 0) return cannot();
  // The rename itself lies in the folder.
  const int folder =
      open(file.parent_path().empty() ? "." : file.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  if (folder >= 0) {
    (void)fsync(folder);
    close(folder);
  }
  return {};
}

}  // namespace infer::inline v0
