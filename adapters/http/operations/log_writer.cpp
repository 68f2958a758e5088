#include "operations/log_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace infer::http {
namespace {

/// How long a line waits for more lines. One write for each line would cost more than making the line.
constexpr std::chrono::milliseconds kLinger{5};
constexpr std::chrono::seconds kLastWrites{1};

/// Returns the text that was not written.
std::string_view write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd writable{descriptor, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      break;
    }
  }
  return text;
}

}  // namespace

struct LogWriter::State {
  State(int fd, LogLevel lowest, std::size_t limit) : descriptor(fd), max_buffered(limit), level(lowest) {}

  const int descriptor;
  const std::size_t max_buffered;
  std::atomic<LogLevel> level;
  std::atomic<std::uint64_t> dropped{0};
  std::mutex mutex;
  std::condition_variable changed;  ///< wakes the writing thread: new lines, or the end
  std::condition_variable written;  ///< wakes those who wait in `flush`
  std::string buffer;
  bool urgent = false;
  bool stopping = false;
  bool writing = false;
};

LogWriter::LogWriter(int descriptor, LogLevel level, std::size_t max_buffered_bytes)
    : state_(std::make_shared<State>(descriptor, level, max_buffered_bytes)) {
  std::thread([state = state_] {
    run(*state);
  }).detach();  // detached, since the destructor waits only for a limited time
}

LogWriter::~LogWriter() {
  {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
  }
  flush();
}

void LogWriter::flush() {
  std::unique_lock lock(state_->mutex);
  state_->urgent = true;
  state_->changed.notify_one();
  state_->written.wait_for(lock, kLastWrites, [&] { return state_->buffer.empty() && !state_->writing; });
}

void LogWriter::write(LogLevel level, std::string_view line) {
  State& state = *state_;
  if (level < state.level.load(std::memory_order_relaxed)) return;
  bool wake = false;
  {
    std::unique_lock lock(state.mutex);
    if (state.buffer.size() + line.size() + 1 > state.max_buffered) {
      state.dropped.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    wake = state.buffer.empty();
    if (level >= LogLevel::kWarning && !state.urgent) wake = state.urgent = true;
    state.buffer += line;
    state.buffer += '\n';
  }
  if (wake) state.changed.notify_one();
}

void LogWriter::run(State& state) {
  std::string out;
  std::unique_lock lock(state.mutex);
  while (true) {
    state.changed.wait(lock, [&] { return state.stopping || !state.buffer.empty(); });
    if (state.buffer.empty()) break;
    state.changed.wait_for(lock, kLinger, [&] { return state.stopping || state.urgent; });
    out.clear();
    out.swap(state.buffer);
    state.urgent = false;
    state.writing = true;
    lock.unlock();
    const std::string_view left = write_all(state.descriptor, out);
    state.dropped.fetch_add(static_cast<std::uint64_t>(std::count(left.begin(), left.end(), '\n')));
    lock.lock();
    state.writing = false;
    state.written.notify_all();
  }
}

void LogWriter::set_level(LogLevel level) noexcept { state_->level.store(level); }
LogLevel LogWriter::level() const noexcept { return state_->level.load(); }
std::uint64_t LogWriter::dropped() const noexcept { return state_->dropped.load(); }

}  // namespace infer::http
