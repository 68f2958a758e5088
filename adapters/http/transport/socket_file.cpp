#include "transport/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace infer::http {
namespace {

/// Whether the file is a socket whose server no longer runs.
bool is_left_over(const sockaddr_un& address) {
  struct stat file {};
  if (::lstat(address.sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool refused = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
                       errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

/// Returns 0 or an error number.
int bind_to(int fd, const sockaddr_un& address, int backlog) {
  const auto bind = [&] {
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  };
  // The file inherits the socket's mode, so others can connect at no time.
  if (::fchmod(fd, S_IRUSR | S_IWUSR) != 0) return errno;
  if (!bind()) {
    if (errno != EADDRINUSE) return errno;
    if (!is_left_over(address)) return EADDRINUSE;
    if (::unlink(address.sun_path) != 0 || !bind()) return errno;
  }
  return ::listen(fd, backlog) == 0 ? 0 : errno;
}

}  // namespace

Result<int> SocketFile::listen(const std::string& path, int backlog) {
  const auto bad = [&](const std::string& why) {
    return fail(ErrorCode::kFailedPrecondition, "cannot listen on the socket " + path + ": " + why);
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return bad("the path has " + std::to_string(path.size()) + " bytes, the limit is " +
               std::to_string(sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return bad(std::strerror(errno));
  if (const int error = bind_to(fd, address, backlog); error != 0) {
    ::close(fd);
    return bad(error == EADDRINUSE ? "the path is in use by another server or is not a socket"
                                   : std::strerror(error));
  }
  struct stat file {};
  if (::lstat(path.c_str(), &file) == 0) {
    path_ = path;
    device_ = file.st_dev;
    inode_ = file.st_ino;
  }
  return fd;
}

void SocketFile::remove() {
  struct stat file {};
  if (!path_.empty() && ::lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_)
    ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace infer::http
