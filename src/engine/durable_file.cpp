#include "durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace infer::inline v0 {

DurableFile::DurableFile(std::filesystem::path file)
    : file_(std::move(file)), next_(file_.string() + "." + std::to_string(getpid())) {
  fd_ = open(next_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) note_failure();
}

DurableFile::~DurableFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(next_.c_str());
}

void DurableFile::note_failure() noexcept {
  if (error_ == 0) error_ = errno;
}

void DurableFile::write(std::string_view content) noexcept {
  while (error_ == 0 && !content.empty()) {
    const ssize_t written = ::write(fd_, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return note_failure();
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<void> DurableFile::commit() {
  if (error_ == 0 && fsync(fd_) != 0) note_failure();
  if (fd_ >= 0 && close(std::exchange(fd_, -1)) != 0) note_failure();
  if (error_ == 0 && rename(next_.c_str(), file_.c_str()) != 0) note_failure();
  if (error_ != 0) {
    unlink(next_.c_str());
    return fail(ErrorCode::kFailedPrecondition,
                file_.string() + ": cannot be written: " + std::generic_category().message(error_));
  }
  sync_folder(file_.parent_path());  // the folder holds the new name
  return {};
}

Result<void> write_durably(const std::filesystem::path& file, std::string_view content) {
  DurableFile out(file);
  out.write(content);
  return out.commit();
}

Result<void> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  const int fd = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  const auto unreadable = [&] {
    return fail(ErrorCode::kNotFound,
                from.string() + ": cannot be read: " + std::generic_category().message(errno));
  };
  if (fd < 0) return unreadable();
  DurableFile out(to);
  std::vector<char> block(std::size_t{1} << 20);
  for (ssize_t got = 1; got != 0;) {
    got = read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      auto failed = unreadable();
      close(fd);
      return failed;
    }
    out.write({block.data(), static_cast<std::size_t>(got)});
  }
  close(fd);
  return out.commit();
}

void sync_folder(const std::filesystem::path& folder) noexcept {
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

}  // namespace infer::inline v0
