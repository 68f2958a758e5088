#include <gtest/gtest.h>
#include <simdjson.h>

#include "http/test_server.h"

namespace infer::http {
namespace {

using testing::TestServer;

TEST(Health, AServerIsUpBeforeItsModelIs) {
  TestServer::Setup setup;
  setup.load = false;
  TestServer server(setup);
  for (const int port : {server.port(), server.probe_port()}) {
    httplib::Client client("127.0.0.1", port);
    EXPECT_EQ(client.Get("/livez")->status, 200);
    EXPECT_EQ(client.Get("/readyz")->status, 503);
    EXPECT_EQ(client.Get("/health")->status, 503);
    EXPECT_EQ(client.Get("/health")->body, R"({"status":"loading"})");
    EXPECT_EQ(client.Get("/healthz")->status, 200);
    EXPECT_EQ(
        client.Get("/healthz")->body,
        R"({"status":"ok","service":"inference-api","model_ready":false,"queue_length":0,"startup_ready_ms":null})");
    EXPECT_EQ(client.Get("/metrics")->status, 200);
  }
  const auto early = server.client().Post("/embed/base64", R"({"images":["aaaa"]})", "application/json");
  EXPECT_EQ(early->status, 503);
  EXPECT_EQ(early->get_header_value("Retry-After"), "1");
}

TEST(Health, AReadyServerSaysSoEverywhere) {
  TestServer server;
  for (const int port : {server.port(), server.probe_port()}) {
    httplib::Client client("127.0.0.1", port);
    for (const char* path : {"/health", "/healthz", "/livez", "/readyz"}) {
      EXPECT_EQ(client.Get(path)->status, 200) << path;
      EXPECT_EQ(client.Head(path)->status, 200) << path;
    }
    EXPECT_NE(client.Get("/healthz")->body.find("\"model_ready\":true"), std::string::npos);
  }
}

TEST(Health, ProbesAreNotLogged) {
  TestServer server;
  (void)server.client().Get("/health");
  (void)server.probe_client().Get("/metrics");
  EXPECT_TRUE(server.log_lines().empty());
}

TEST(Health, UnknownRoutesAndMethodsAreNamed) {
  TestServer server;
  auto client = server.client();
  const auto lost = client.Get("/nope");
  EXPECT_EQ(lost->status, 404);
  EXPECT_NE(lost->body.find("no route /nope"), std::string::npos);
  const auto wrong = client.Get("/embed");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(wrong->get_header_value("Allow"), "POST");
  EXPECT_EQ(client.Post("/health", "", "text/plain")->status, 405);
  EXPECT_EQ(client.Post("/drain", "", "text/plain")->status, 404) << "/drain is only on the probe listener";
  EXPECT_EQ(server.probe_client().Post("/embed", "", "image/png")->status, 404)
      << "this route is only on the main listener";
}

TEST(Health, MetricsHaveTheNamesThatDashboardsKnow) {
  TestServer server;
  auto client = server.client();
  const auto rocket = infer::testing::read_bytes(infer::testing::golden("rocket").encoded);
  ASSERT_EQ(client.Post("/embed/base64", testing::images_json({rocket}), "application/json")->status, 200);
  (void)client.Get("/some/text/of/a/client");
  const std::string text = server.probe_client().Get("/metrics")->body;
  for (const char* name :
       {"predictions_total 1\n", "prediction_latency_seconds_bucket{le=\"0.5\"} 1\n",
        "model_load_time_seconds ", "active_requests 0\n",
        "http_requests_total{method=\"POST\",path=\"/embed/base64\",status=\"200\"} 1\n",
        "http_requests_total{method=\"other\",path=\"other\",status=\"404\"} 1\n",
        "infer_requests_total{model=\"scripted\",code=\"OK\"} 1\n",
        "infer_queue_depth{model=\"scripted\"} 0\n", "infer_inflight{model=\"scripted\"} 0\n",
        "infer_batch_size_count{model=\"scripted\"} 1\n",
        "infer_prepare_seconds_count{model=\"scripted\"} 1\n",
        "infer_queue_seconds_count{model=\"scripted\"} 1\n",
        "infer_compute_seconds_count{model=\"scripted\"} 1\n",
        "infer_request_seconds_count{model=\"scripted\"} 1\n", "infer_workers{model=\"scripted\"} 1\n",
        "infer_usable_cores ", "infer_cpu_quota_cores ", "infer_cpu_throttled_periods ",
        "infer_cpu_throttled_seconds "}) {
    EXPECT_NE(text.find(name), std::string::npos) << name << " in\n" << text;
  }
  EXPECT_EQ(text.find("client"), std::string::npos) << "no label contains a client's text";
}

TEST(Health, TheDescriptionListsWhatIsRouted) {
  TestServer server;
  auto client = server.client();
  const std::string body = client.Get("/openapi.json")->body;
  simdjson::dom::parser parser;
  simdjson::dom::object root = parser.parse(body);
  EXPECT_EQ(std::string_view(root["openapi"]), "3.1.0");
  std::size_t paths = 0;
  for (const auto& [path, operations] : simdjson::dom::object(root["paths"])) {
    ++paths;
    for (const auto& [method, operation] : simdjson::dom::object(operations)) {
      httplib::Request request;
      request.method = method == "get" ? "GET" : "POST";
      request.path = std::string(path);
      const auto answer = client.send(request);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->body.find("no route"), std::string::npos) << path;
      EXPECT_NE(answer->status, 405) << path;
    }
  }
  EXPECT_EQ(paths, 33u);
}

TEST(Drain, ALameDuckStillServesButSaysGoodbye) {
  TestServer::Setup setup;
  setup.server.drain_delay = std::chrono::milliseconds(1);
  TestServer server(setup);
  EXPECT_EQ(server.probe_client().Post("/drain", "", "text/plain")->status, 200);
  EXPECT_EQ(server.probe_client().Get("/readyz")->status, 503);
  EXPECT_EQ(server.probe_client().Get("/health")->body, R"({"status":"draining"})");
  EXPECT_EQ(server.probe_client().Get("/livez")->status, 200);
  const auto rocket = infer::testing::read_bytes(infer::testing::golden("rocket").encoded);
  const auto answer =
      server.client().Post("/embed/base64", testing::images_json({rocket}), "application/json");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Connection"), "close");
}

TEST(Drain, ADrainedServerRefusesNewWork) {
  TestServer server;
  EXPECT_TRUE(server.service().drain(std::chrono::milliseconds(1000)).in_time);
  const auto answer = server.client().Post("/embed/base64", "{}", "application/json");
  EXPECT_EQ(answer->status, 503);
  EXPECT_NE(answer->body.find("draining"), std::string::npos);
}

}  // namespace
}  // namespace infer::http
