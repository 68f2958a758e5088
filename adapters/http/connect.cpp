#include "connect.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "infer/core/invalid.h"

namespace infer::http {

Result<Url> Url::parse(const std::string& text) {
  const auto bad = [&](const std::string& why) { return invalid("'" + text + "': " + why); };
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://"))
    return bad("https is not supported; use the http address behind the TLS proxy");
  if (!text.starts_with(kScheme)) return bad("is not a URL like http://host:port/path");
  const std::string rest = text.substr(kScheme.size());
  Url url;
  const std::size_t slash = rest.find_first_of("/?");
  std::string authority = rest.substr(0, slash);
  if (slash != std::string::npos) url.target = (rest[slash] == '?' ? "/" : "") + rest.substr(slash);
  url.target = url.target.substr(0, url.target.find('#'));
  const std::size_t colon = authority.starts_with('[') ? authority.find("]:") : authority.rfind(':');
  if (colon != std::string::npos) {
    const std::size_t digits = authority.find(':', colon) + 1;
    const char* end = authority.data() + authority.size();
    const auto [stop, error] = std::from_chars(authority.data() + digits, end, url.port);
    if (error != std::errc() || stop != end || url.port < 1 || url.port > 65535)
      return bad("the port must be from 1 to 65535");
    authority.resize(digits - 1);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) return bad("has no host");
  url.host = authority;
  return url;
}

namespace {

using std::chrono::milliseconds;

/// Returns the milliseconds until `deadline` for poll, rounded up and at least 0.
int left_until(TimePoint deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
}

}  // namespace

bool wait_for(int fd, short events, TimePoint deadline) {
  pollfd waiting{fd, events, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, left_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready == 1;
}

namespace {

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

/// Resolves a host in a detached thread, because a name server that does not answer cannot be interrupted.
Result<Addresses> resolve(const std::string& host, int port, TimePoint deadline) {
  const auto ask = [host, service = std::to_string(port)](int flags) -> Result<Addresses> {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host.c_str(), service.c_str(), &hints, &found); error != 0)
      return fail(ErrorCode::kUnavailable, gai_strerror(error));
    return Addresses(found, freeaddrinfo);
  };
  if (auto numeric = ask(AI_NUMERICHOST)) return numeric;
  auto answer = std::make_shared<std::promise<Result<Addresses>>>();
  auto future = answer->get_future();
  std::thread([answer, ask] { answer->set_value(ask(0)); }).detach();
  if (future.wait_until(deadline) != std::future_status::ready)
    return fail(ErrorCode::kUnavailable, "the name server did not answer for '" + host + "' in time");
  return future.get();
}

/// A Unix socket either connects at once or not at all.
Result<int> connect_to_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kUnavailable, "the socket's path is too long");
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  if (fd >= 0) close(fd);
  return fail(ErrorCode::kUnavailable, std::strerror(error));
}

}  // namespace

Result<int> connect_to(const std::string& host, int port, TimePoint deadline) {
  if (host.starts_with('/')) return connect_to_path(host);
  auto addresses = resolve(host, port, deadline);
  if (!addresses) return Unexpected(std::move(addresses).error());
  std::string reason = "the name has no address";
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    const int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    int error = fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      socklen_t length = sizeof error;
      if (!wait_for(fd, POLLOUT, deadline)) {
        error = ETIMEDOUT;
      } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        error = errno;
      }
    }
    if (error == 0) return fd;
    if (fd >= 0) close(fd);
    reason = std::strerror(error);
  }
  return fail(ErrorCode::kUnavailable, reason);
}

Result<void> try_connect(const std::string& host, int port, std::chrono::milliseconds timeout) {
  auto fd = connect_to(host, port, std::chrono::steady_clock::now() + timeout);
  if (!fd) return Unexpected(std::move(fd).error());
  close(*fd);
  return {};
}

}  // namespace infer::http
