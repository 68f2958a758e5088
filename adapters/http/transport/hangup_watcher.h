#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>

namespace infer::http {

/// One thread that notices when a client disconnects while its request waits, and requests a stop. Only a
/// reset counts: a client that has merely finished sending may still read the answer.
class HangupWatcher {
 public:
  HangupWatcher();
  ~HangupWatcher();
  HangupWatcher(const HangupWatcher&) = delete;
  HangupWatcher& operator=(const HangupWatcher&) = delete;

  /// Watches a connection's socket for the lifetime of this object. Costs one system call at each end, and
  /// none for each request.
  class Watch {
   public:
    Watch(HangupWatcher& watcher, int socket);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Sets the stop source of the current request. Requests the stop at once if the client is already
    /// gone.
    void begin_request(std::stop_source source);
    void end_request();

   private:
    friend HangupWatcher;
    struct State {
      std::mutex mutex;
      bool gone = false;
      std::stop_source source{std::nostopstate};
    };
    HangupWatcher& watcher_;
    const int socket_;
    std::uint64_t id_ = 0;  ///< Unlike a socket's number, never reused.
    const std::shared_ptr<State> state_ = std::make_shared<State>();
  };

 private:
  void run();

  int epoll_;
  int wake_;
  std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Watch::State>> watched_;
  std::thread thread_;
};

}  // namespace infer::http
