#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "httplib_config.h"
#include "image/golden.h"
#include "infer/testing/scripted_backend.h"
#include "listener.h"
#include "service.h"

namespace infer::http::testing {

/// Runs the service on free ports of this machine, with a scripted image model of 32 x 32 pixels and 8
/// numbers.
class TestServer {
 public:
  struct Setup {
    infer::testing::ScriptedOptions script;
    EngineOptions engine;
    ServerOptions server;
    bool load = true;  ///< If false, the model is never loaded.
  };

  TestServer();
  explicit TestServer(Setup setup);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  int probe_port() const { return probe_port_; }
  Service& service() { return *service_; }
  Engine& engine() { return *engine_; }
  Listener& listener() { return *main_; }
  httplib::Client client() const;
  /// Sends the header that operations require.
  httplib::Client probe_client() const;
  std::vector<std::string> log_lines();
  /// Sends `bytes` on a new connection. Returns everything that arrives until the connection is closed or
  /// `patience_ms` have passed without a byte.
  std::string raw(const std::string& bytes, int patience_ms = 5000) const;

 private:
  std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<Service> service_;
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Listener> main_;
  std::unique_ptr<Listener> probe_;
  int port_ = 0;
  int probe_port_ = 0;
};

std::string encode_base64(const infer::testing::Bytes& bytes);
std::string images_json(const std::vector<infer::testing::Bytes>& images);
/// Returns a connected socket of 127.0.0.1:port.
int connect_to(int port);

}  // namespace infer::http::testing
