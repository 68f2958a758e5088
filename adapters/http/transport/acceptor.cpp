#include "transport/acceptor.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

namespace infer::http {
namespace {

constexpr int kBacklog = 1024;
/// How long to wait before another try when descriptors or memory are exhausted.
constexpr int kScarceMs = 20;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// Returns -1 and sets errno on failure.
int listen_on(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  // Not SO_REUSEPORT: a second server on the same port must fail rather than take half of the requests.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<int> Acceptor::bind(const std::string& host, int port) {
  const std::string where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const char* name = host.empty() ? nullptr : host.c_str();
  if (const int error = getaddrinfo(name, std::to_string(port).c_str(), &hints, &list); error != 0)
    return fail(ErrorCode::kFailedPrecondition, "cannot listen on " + where + ": " + gai_strerror(error));
  const Addresses addresses(list, &freeaddrinfo);
  for (const addrinfo* address = list; address != nullptr && socket_ < 0; address = address->ai_next)
    socket_ = listen_on(*address);
  if (socket_ >= 0) return port_of(socket_);
  return fail(ErrorCode::kFailedPrecondition, "cannot listen on " + where + ": " + std::strerror(errno));
}

Result<void> Acceptor::bind_path(const std::string& path) {
  auto socket = file_.listen(path, kBacklog);
  if (!socket) return Unexpected(socket.error());
  socket_ = *socket;
  return {};
}

void Acceptor::start(std::function<void(int)> take, std::function<void()> make_room) {
  wake_ = eventfd(0, EFD_CLOEXEC);
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ =
      std::thread([this, take = std::move(take), make_room = std::move(make_room)] { run(take, make_room); });
}

void Acceptor::refuse() {
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  const std::uint64_t one = 1;
  if (wake_ >= 0) (void)!::write(wake_, &one, sizeof one);
}

void Acceptor::stop() {
  refuse();
  if (thread_.joinable()) thread_.join();
  if (wake_ >= 0) ::close(std::exchange(wake_, -1));
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  file_.remove();
}

void Acceptor::run(const std::function<void(int)>& take, const std::function<void()>& make_room) const {
  std::array<pollfd, 2> watched{{{socket_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  while (true) {
    const int ready = ::poll(watched.data(), watched.size(), -1);
    if (ready < 0) continue;  // EINTR
    if (watched[1].revents != 0) return;
    const int fd = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      take(fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      make_room();
      ::poll(&watched[1], 1, kScarceMs);
    }
    // Other errors concern one connection, which is already closed.
  }
}

}  // namespace infer::http
