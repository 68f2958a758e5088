#include "hangup_watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace infer::http {

HangupWatcher::HangupWatcher() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC)) {
  if (epoll_ < 0 || wake_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  thread_ = std::thread([this] { run(); });
}

HangupWatcher::~HangupWatcher() {
  const std::uint64_t one = 1;
  (void)!write(wake_, &one, sizeof one);
  thread_.join();
  close(wake_);
  close(epoll_);
}

HangupWatcher::Watch::Watch(HangupWatcher& watcher, int socket, std::stop_source source)
    : watcher_(watcher), socket_(socket) {
  {
    std::unique_lock lock(watcher_.mutex_);
    watcher_.watched_.insert_or_assign(socket, std::move(source));
  }
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLONESHOT;
  event.data.fd = socket;
  epoll_ctl(watcher_.epoll_, EPOLL_CTL_ADD, socket, &event);
}

HangupWatcher::Watch::~Watch() {
  epoll_ctl(watcher_.epoll_, EPOLL_CTL_DEL, socket_, nullptr);
  std::unique_lock lock(watcher_.mutex_);
  watcher_.watched_.erase(socket_);
}

void HangupWatcher::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == wake_) return;
      std::stop_source source(std::nostopstate);
      {
        std::unique_lock lock(mutex_);
        // An event may arrive after its watch has ended; then there is nothing, or a new request, to be
        // found. A new request on the same number has its own event armed, so only one whose socket really
        // closed gets here.
        const auto found = watched_.find(socket);
        if (found != watched_.end()) source = found->second;
      }
      if (source.stop_possible()) source.request_stop();
    }
  }
}

}  // namespace infer::http
