#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>

namespace infer::http {

/// One thread that notices when a client goes away while its request is waiting, and requests a stop. Gone is
/// who resets the connection: the end of what a client sends says no more than that it asks for nothing else.
class HangupWatcher {
 public:
  HangupWatcher();
  ~HangupWatcher();
  HangupWatcher(const HangupWatcher&) = delete;
  HangupWatcher& operator=(const HangupWatcher&) = delete;

  /// Watches a connection's socket for as long as it lives: a system call at each end, none for a request.
  class Watch {
   public:
    Watch(HangupWatcher& watcher, int socket);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// From now on `source` is what stops; at once if the client is gone already.
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
    std::uint64_t id_ = 0;  ///< Never used again, as the number of a socket is.
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
