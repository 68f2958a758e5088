// All routes and models share one memory budget for decoding. Also runs under ThreadSanitizer.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <thread>
#include <vector>

#include "http/test_server.h"

namespace infer::http {
namespace {

using testing::TestServer;

/// CTest's time limit ends a wait that never succeeds.
template <class Condition>
void eventually(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

infer::testing::Bytes photo() { return infer::testing::read_bytes(infer::testing::golden("jpeg").encoded); }

/// A way to send an image.
struct Sent {
  std::string path;
  std::string body;
  std::string type;
  httplib::Headers headers = {};
};

/// Every route that accepts an image.
std::vector<Sent> every_route() {
  const auto bytes = photo();
  const std::string base64 = testing::encode_base64(bytes);
  const std::string raw(bytes.begin(), bytes.end());
  return {{"/embed", raw, "image/jpeg"},
          {"/embed/base64", testing::images_json({bytes}), "application/json"},
          {"/v1/embeddings", R"({"input":")" + base64 + R"(","model":"scripted"})", "application/json"},
          {"/v2/models/scripted/infer",
           raw,
           "application/octet-stream",
           {{"Inference-Header-Content-Length", "0"}}},
          {"/v2/models/scripted/infer",
           R"({"inputs":[{"name":"pixels","shape":[1],"datatype":"BYTES","data":[")" + base64 + R"("]}]})",
           "application/json"}};
}

/// A budget for exactly two photographs.
TestServer::Setup small_budget() {
  TestServer::Setup setup;
  setup.server.max_decode_bytes = 500'000;
  return setup;
}

DecodeBudget& budget_of(TestServer& server) {
  return *server.service().options().repository.task.decode.budget;
}

std::string input_name(TestServer& server) {
  return server.engine().model().backend->signature().inputs[0].name;
}

std::string named(std::string body, const std::string& input) {
  const auto at = body.find("\"pixels\"");
  return at == std::string::npos ? body : body.replace(at, 8, '"' + input + '"');
}

TEST(DecodeMemory, EveryRouteWaitsForItAndGets429WithRetryAfterWhereNoneIsFreeInTime) {
  TestServer server(small_budget());
  std::optional<DecodeBudget::Lease> all = budget_of(server).acquire(500'000).value();
  for (const auto& [path, body, type, headers] : every_route()) {
    httplib::Headers impatient = headers;
    impatient.emplace("X-Timeout-Ms", "30");
    const auto refused = server.client().Post(path, impatient, named(body, input_name(server)), type);
    ASSERT_TRUE(refused) << path;
    EXPECT_EQ(refused->status, 429) << path << refused->body;
    EXPECT_NE(refused->body.find("max_decode_bytes 500000"), std::string::npos) << refused->body;
    EXPECT_GE(std::stoi(refused->get_header_value("Retry-After")), 1) << path;
  }
  all.reset();
  for (const auto& [path, body, type, headers] : every_route()) {
    const auto served = server.client().Post(path, headers, named(body, input_name(server)), type);
    ASSERT_TRUE(served) << path;
    EXPECT_EQ(served->status, 200) << path << served->body;
  }
  EXPECT_EQ(budget_of(server).used_bytes(), 0u);
}

TEST(DecodeMemory, WhatCanNeverFitIs413WithSizeBytesAndLimit) {
  TestServer::Setup setup;
  setup.server.max_decode_bytes = 10'000;
  TestServer server(setup);
  for (const auto& [path, body, type, headers] : every_route()) {
    const auto refused = server.client().Post(path, headers, named(body, input_name(server)), type);
    ASSERT_TRUE(refused) << path;
    EXPECT_EQ(refused->status, 413) << path << refused->body;
    EXPECT_NE(refused->body.find("101 x 67: "), std::string::npos) << refused->body;
    EXPECT_NE(refused->body.find(" bytes to decode exceed max_decode_bytes 10000"), std::string::npos)
        << refused->body;
  }
}

TEST(DecodeMemory, ManyImagesOfManyRequestsShareItAndAllAreServed) {
  TestServer::Setup setup = small_budget();
  setup.engine.threads.usable_cores = 4;  // requests decode several images at a time
  setup.engine.max_inflight = 64;
  setup.engine.batch.max_queue_size = 4096;
  setup.server.max_images = 64;
  TestServer server(setup);
  const std::vector<infer::testing::Bytes> images(16, photo());
  const std::string body = testing::images_json(images);
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      const auto served = server.client().Post("/embed/base64", body, "application/json");
      ASSERT_TRUE(served);
      EXPECT_EQ(served->status, 200) << served->body;
    });
  }
  clients.clear();
  EXPECT_EQ(budget_of(server).used_bytes(), 0u);
  EXPECT_EQ(budget_of(server).waiting(), 0u);
}

TEST(DecodeMemory, AClientThatHangsUpWhileItsImageWaitsLeavesTheQueue) {
  TestServer server(small_budget());
  const DecodeBudget::Lease all = budget_of(server).acquire(500'000).value();
  const std::string body = testing::images_json({photo()});
  const std::string bytes =
      "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  const int fd = testing::connect_to(server.port());
  ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  eventually([&] { return budget_of(server).waiting() == 1; });
  const auto metrics = server.probe_client().Get("/metrics")->body;
  EXPECT_NE(metrics.find("infer_decode_waiting 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("infer_decode_bytes 5e+05\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("infer_decode_limit_bytes 5e+05\n"), std::string::npos);
  const linger at_once{1, 0};  // a close alone would only end the sending direction
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd);
  eventually([&] { return budget_of(server).waiting() == 0; });
  eventually([&] { return server.engine().stats().inflight == 0; });
}

TEST(DecodeMemory, IsAShareOfWhatTheServerMayUseUnlessToldOtherwise) {
  TestServer server;
  EXPECT_GE(budget_of(server).limit_bytes(), std::size_t{96} << 20);
}

}  // namespace
}  // namespace infer::http
