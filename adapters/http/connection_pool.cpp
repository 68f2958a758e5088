#include "connection_pool.h"

#include <sys/socket.h>

#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace infer::http {
namespace {

constexpr std::chrono::seconds kThreadIdle{10};
constexpr std::chrono::seconds kCutOff{2};

}  // namespace

bool ConnectionPool::enqueue(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  if (closing_) return false;
  jobs_.push_back(std::move(job));
  if (jobs_.size() <= free_threads_) {
    work_.notify_one();
    return true;
  }
  if (threads_ < limit_) {
    try {
      std::thread([this] { run(); }).detach();  // counted; shutdown waits for the count
      ++threads_;
      return true;
    } catch (const std::system_error&) {
      // No more threads to be had: wait for one of those there are.
      if (threads_ == 0) {
        jobs_.pop_back();
        return false;
      }
    }
  }
  if (!idle_sockets_.empty()) ::shutdown(*idle_sockets_.begin(), SHUT_RDWR);
  return true;
}

void ConnectionPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (jobs_.empty()) {
      if (closing_) break;
      ++free_threads_;
      const bool found = work_.wait_for(lock, kThreadIdle, [&] { return !jobs_.empty() || closing_; });
      --free_threads_;
      if (!found) break;
      continue;
    }
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  --threads_;
  left_.notify_all();  // under the lock: the pool may be gone right after it is released
}

void ConnectionPool::shutdown() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  for (const int socket : idle_sockets_) ::shutdown(socket, SHUT_RDWR);
  work_.notify_all();
  const auto all_left = [&] { return threads_ == 0; };
  if (left_.wait_for(lock, kCutOff, all_left)) return;
  for (const int socket : open_sockets_) ::shutdown(socket, SHUT_RDWR);
  left_.wait(lock, all_left);
}

ConnectionPool::Open::Open(ConnectionPool& pool, int socket) : pool_(pool), socket_(socket) {
  std::unique_lock lock(pool_.mutex_);
  pool_.open_sockets_.insert(socket_);
}

ConnectionPool::Open::~Open() {
  std::unique_lock lock(pool_.mutex_);
  pool_.open_sockets_.erase(socket_);
}

ConnectionPool::Idle::Idle(ConnectionPool& pool, int socket) : pool_(pool), socket_(socket) {
  std::unique_lock lock(pool_.mutex_);
  pool_.idle_sockets_.insert(socket_);
  if (pool_.closing_ || (!pool_.jobs_.empty() && pool_.threads_ >= pool_.limit_))
    ::shutdown(socket_, SHUT_RDWR);
}

ConnectionPool::Idle::~Idle() {
  std::unique_lock lock(pool_.mutex_);
  pool_.idle_sockets_.erase(socket_);
}

}  // namespace infer::http
