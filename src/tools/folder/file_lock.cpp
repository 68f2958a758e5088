#include "tools/folder/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace infer::inline v0::tools {

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
  while (true) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      return fail(ErrorCode::kFailedPrecondition,
                  path.string() + ": cannot be written: " + std::strerror(errno));
    }
    const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    // The previous owner may have removed the file before it released the lock.
    struct stat held {};
    struct stat named {};
    if (!taken && ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev)
      return FileLock(path, descriptor);
    ::close(descriptor);
    if (taken) {
      return fail(ErrorCode::kFailedPrecondition, path.string() +
                                                      ": another process is writing this output; wait until "
                                                      "that process ends, or choose another --out");
    }
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace infer::inline v0::tools
