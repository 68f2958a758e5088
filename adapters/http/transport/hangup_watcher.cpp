#include "transport/hangup_watcher.h"

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
  event.data.u64 = 0;
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

HangupWatcher::Watch::Watch(HangupWatcher& watcher, int socket) : watcher_(watcher), socket_(socket) {
  {
    std::unique_lock lock(watcher_.mutex_);
    id_ = ++watcher_.last_id_;
    watcher_.watched_.emplace(id_, state_);
  }
  epoll_event event{};
  event.events = EPOLLONESHOT;  // EPOLLHUP and EPOLLERR are always reported
  event.data.u64 = id_;
  epoll_ctl(watcher_.epoll_, EPOLL_CTL_ADD, socket, &event);
}

HangupWatcher::Watch::~Watch() {
  epoll_ctl(watcher_.epoll_, EPOLL_CTL_DEL, socket_, nullptr);
  std::unique_lock lock(watcher_.mutex_);
  watcher_.watched_.erase(id_);
}

void HangupWatcher::Watch::begin_request(std::stop_source source) {
  bool gone = false;
  {
    std::unique_lock lock(state_->mutex);
    gone = state_->gone;
    state_->source = source;
  }
  if (gone) source.request_stop();
}

void HangupWatcher::Watch::end_request() {
  std::unique_lock lock(state_->mutex);
  state_->source = std::stop_source(std::nostopstate);
}

void HangupWatcher::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id == 0) return;
      std::shared_ptr<Watch::State> state;
      {
        std::unique_lock lock(mutex_);
        const auto found = watched_.find(id);
        if (found != watched_.end()) state = found->second;
      }
      if (!state) continue;
      std::stop_source source(std::nostopstate);
      {
        std::unique_lock lock(state->mutex);
        state->gone = true;
        source = state->source;
      }
      if (source.stop_possible()) source.request_stop();
    }
  }
}

}  // namespace infer::http
