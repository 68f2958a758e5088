#pragma once

#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>

namespace infer::http {

/// One thread that notices when a client goes away while its request is waiting, and requests a stop.
class HangupWatcher {
 public:
  HangupWatcher();
  ~HangupWatcher();
  HangupWatcher(const HangupWatcher&) = delete;
  HangupWatcher& operator=(const HangupWatcher&) = delete;

  /// Watches a socket for as long as it lives.
  class Watch {
   public:
    Watch(HangupWatcher& watcher, int socket, std::stop_source source);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    HangupWatcher& watcher_;
    int socket_;
  };

 private:
  void run();

  int epoll_;
  int wake_;
  std::mutex mutex_;
  std::unordered_map<int, std::stop_source> watched_;
  std::thread thread_;
};

}  // namespace infer::http
