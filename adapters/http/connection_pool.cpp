#include "connection_pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace infer::http {
namespace {

constexpr std::chrono::seconds kThreadIdle{10};
constexpr std::chrono::seconds kCutOff{2};
/// Connections without a thread; further ones stay in the kernel's queue, where they hold no descriptor.
constexpr std::size_t kMaxWaiting = 64;

}  // namespace

void ConnectionPool::add(int socket) {
  std::unique_lock lock(mutex_);
  taken_.wait(lock, [&] { return closing_ || waiting_.size() < kMaxWaiting; });
  if (closing_) {
    ::close(socket);
    return;
  }
  waiting_.push_back(socket);
  if (waiting_.size() <= free_threads_) {
    work_.notify_one();
    return;
  }
  if (threads_ < limit_) {
    try {
      std::thread([this] { run(); }).detach();  // counted; shutdown waits for the count
      ++threads_;
      return;
    } catch (const std::system_error&) {
      // No more threads to be had: wait for one of those there are.
      if (threads_ == 0) {
        waiting_.pop_back();
        ::close(socket);
        return;
      }
    }
  }
  crowded_.store(true);
  close_one_idle();
}

void ConnectionPool::make_room() {
  std::unique_lock lock(mutex_);
  close_one_idle();
}

void ConnectionPool::close_one_idle() {
  const auto idle =
      std::find_if(open_.begin(), open_.end(), [](const Open* open) { return open->idle_.load(); });
  if (idle != open_.end()) ::shutdown((*idle)->socket_, SHUT_RDWR);
}

void ConnectionPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (waiting_.empty()) {
      if (closing_) break;
      ++free_threads_;
      const bool found = work_.wait_for(lock, kThreadIdle, [&] { return !waiting_.empty() || closing_; });
      --free_threads_;
      if (!found) break;
      continue;
    }
    const int socket = waiting_.front();
    waiting_.pop_front();
    if (waiting_.empty() && !closing_) crowded_.store(false);
    taken_.notify_one();
    lock.unlock();
    serve_(socket);
    lock.lock();
  }
  --threads_;
  left_.notify_all();  // under the lock: the pool may be gone right after it is released
}

void ConnectionPool::shutdown() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  taken_.notify_all();
  crowded_.store(true);
  for (const Open* open : open_) {
    if (open->idle_.load()) ::shutdown(open->socket_, SHUT_RDWR);
  }
  work_.notify_all();
  const auto all_left = [&] { return threads_ == 0; };
  if (left_.wait_for(lock, kCutOff, all_left)) return;
  for (const Open* open : open_) ::shutdown(open->socket_, SHUT_RDWR);
  left_.wait(lock, all_left);
}

ConnectionPool::Open::Open(ConnectionPool& pool, int socket) : pool_(pool), socket_(socket) {
  std::unique_lock lock(pool_.mutex_);
  pool_.open_.insert(this);
}

ConnectionPool::Open::~Open() {
  std::unique_lock lock(pool_.mutex_);
  pool_.open_.erase(this);
}

ConnectionPool::Idle::Idle(Open& open) : open_(open) {
  open_.idle_.store(true);
  if (open_.pool_.crowded_.load()) ::shutdown(open_.socket_, SHUT_RDWR);
}

}  // namespace infer::http
