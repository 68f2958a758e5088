#include "http/test_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "base64.h"
#include "exchange/request_origin.h"

namespace infer::http::testing {

TestServer::TestServer() : TestServer(Setup()) {}

TestServer::TestServer(Setup setup) {
  setup.server.listener.port = 0;
  if (setup.server.allowed_hosts.empty())
    setup.server.allowed_hosts = {"a", "x"};  // for handwritten requests
  if (setup.script.signature.inputs.empty()) setup.script.signature = infer::testing::image_signature(32, 8);
  service_ = std::make_unique<Service>(setup.server, [this](LogLevel, const std::string& json) {
    std::unique_lock lock(log_mutex_);
    log_.push_back(json);
  });
  main_ = std::make_unique<Listener>(setup.server.listener, service_->main_handler());
  port_ = main_->bind().value();
  ListenerOptions probe;
  probe_ = std::make_unique<Listener>(probe, service_->probe_handler());
  probe_port_ = probe_->bind().value();
  main_->start();
  probe_->start();
  if (!setup.load) return;
  Manifest manifest;
  manifest.task = "image-embedding";
  manifest.preprocess = ImagePreprocess{.size = 32};
  auto model = make_model("scripted", infer::testing::make_scripted_backend(setup.script).value(), manifest);
  setup.engine.metrics = std::shared_ptr<MetricsRegistry>(&service_->metrics(), [](MetricsRegistry*) {});
  setup.engine.warmup = Warmup::kNone;
  engine_ = std::make_shared<Engine>(Engine::create(std::move(model), std::move(setup.engine)).value());
  service_->add(engine_).value();
  service_->load().value();
}

TestServer::~TestServer() {
  service_->drain(std::chrono::milliseconds(0));
  main_->stop();
  probe_->stop();
}

httplib::Client TestServer::client() const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(60);
  return client;
}

httplib::Client TestServer::probe_client() const {
  httplib::Client client("127.0.0.1", probe_port_);
  client.set_default_headers({{kAdminHeader, "1"}});
  return client;
}

std::vector<std::string> TestServer::log_lines() {
  std::unique_lock lock(log_mutex_);
  return log_;
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("connect");
  return fd;
}

std::string TestServer::raw(const std::string& bytes, int patience_ms) const {
  const int fd = connect_to(port_);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  std::string answer;
  char buffer[4096];
  while (true) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, patience_ms) <= 0) break;
    const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(fd);
  return answer;
}

std::string encode_base64(const infer::testing::Bytes& bytes) { return adapter::encode_base64(bytes); }

std::string images_json(const std::vector<infer::testing::Bytes>& images) {
  std::string json = "{\"images\":[";
  for (std::size_t i = 0; i < images.size(); ++i)
    json += (i == 0 ? "\"" : ",\"") + encode_base64(images[i]) + "\"";
  return json + "]}";
}

}  // namespace infer::http::testing
