// Pages of other sites, open in a browser on this machine, attack a server that listens on loopback.

#include <gtest/gtest.h>

#include "exchange/request_origin.h"
#include "http/test_server.h"

namespace infer::http::testing {
namespace {

const std::vector<std::string> kOperations{"/drain", "/reload", "/log-level"};

TestServer::Setup with_repository() {
  TestServer::Setup setup;
  setup.server.repository_api = true;
  setup.server.drain_delay = std::chrono::milliseconds(1);
  return setup;
}

int status(const httplib::Result& result) { return result ? result->status : -1; }

TEST(Origin, LoopbackIsRecognisedInEveryForm) {
  for (const char* yes :
       {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:0:0:1"})
    EXPECT_TRUE(is_loopback(yes)) << yes;
  for (const char* no : {"", "10.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "::127.0.0.1", "128.0.0.1",
                         "localhost", "127.0.0.1.example", "fe80::1"})
    EXPECT_FALSE(is_loopback(no)) << no;
  for (const char* yes : {"127.0.0.1", "::1", "localhost"}) EXPECT_TRUE(listens_on_loopback(yes)) << yes;
  for (const char* no : {"", "0.0.0.0", "::", "10.0.0.1", "no-such-name.invalid"})
    EXPECT_FALSE(listens_on_loopback(no)) << no;
}

TEST(Origin, AHostFieldNamesThisMachineOrNot) {
  for (const char* yes : {"localhost", "LocalHost:8002", "127.0.0.1:1", "127.9.9.9", "[::1]", "[::1]:65535",
                          "[::ffff:127.0.0.1]:80", "localhost:"})
    EXPECT_TRUE(names_this_machine(yes)) << yes;
  for (const char* no : {"",
                         ":80",
                         "evil.example",
                         "localhost.evil.example",
                         "127.0.0.1.evil.example",
                         "localhost:80.evil.example",
                         "[::1].evil.example",
                         "[::1]evil",
                         "[::1",
                         "[127.0.0.1]",
                         "[localhost]",
                         "0.0.0.0",
                         "10.0.0.1",
                         "[::2]",
                         "evil.example@127.0.0.1",
                         "127.0.0.1@evil.example",
                         "localhost evil",
                         " localhost",
                         "::1",
                         "[]",
                         "localhost:123456",
                         "127.1",
                         "2130706433",
                         "0x7f.0.0.1"})
    EXPECT_FALSE(names_this_machine(no)) << no;
  EXPECT_FALSE(names_this_machine(std::string("127.0.0.1\0.evil", 15)));
  EXPECT_TRUE(names_this_machine("Photos.example:443", {"photos.example"}));
  EXPECT_FALSE(names_this_machine("other.example", {"photos.example"}));
}

TEST(Origin, AServerOnLoopbackAnswersToLoopbackNamesAlone) {
  TestServer::Setup setup;
  setup.server.allowed_hosts = {"photos.example"};
  TestServer server(std::move(setup));
  auto client = server.client();
  auto probe = server.probe_client();
  for (const char* path : {"/", "/v2/models", "/metrics", "/health", "/no-such-route"}) {
    EXPECT_EQ(status(client.Get(path, {{"Host", "evil.example"}})), 403) << path;
    EXPECT_NE(status(client.Get(path, {{"Host", "localhost:1234"}})), 403) << path;
    EXPECT_NE(status(client.Get(path, {{"Host", "photos.example"}})), 403) << path;
  }
  EXPECT_EQ(
      status(client.Post("/v2/models/scripted/infer", {{"Host", "evil.example:8002"}}, "{}", "text/plain")),
      403);
  EXPECT_EQ(status(probe.Get("/metrics", {{"Host", "evil.example"}})), 403);
  EXPECT_NE(server.raw("GET /health HTTP/1.0\r\n\r\n").find(" 200 "), std::string::npos)
      << "no browser sends such a request";
}

TEST(Origin, AServerThatOthersReachTakesAnyHost) {
  TestServer::Setup setup = with_repository();
  setup.server.listener.host = "0.0.0.0";
  TestServer server(std::move(setup));
  auto client = server.client();
  EXPECT_EQ(status(client.Get("/health", {{"Host", "inference.example"}})), 200);
  const httplib::Headers foreign{{"Host", "inference.example"}, {"Origin", "https://app.example"}};
  EXPECT_EQ(status(client.Post("/v2/models/scripted/infer", foreign, "{}", "application/json")), 400)
      << "a proxy in front may share the models with other sites";
  EXPECT_EQ(status(client.Post("/v2/repository/models/scripted/unload", foreign, "", "text/plain")), 403);
}

TEST(Origin, OperationsDemandWhatNoOtherSiteCanSend) {
  TestServer server(with_repository());
  httplib::Client plain("127.0.0.1", server.probe_port());
  const std::string host = "127.0.0.1:" + std::to_string(server.probe_port());
  const std::string level = R"({"level":"info"})";
  for (const std::string& path : kOperations) {
    const auto post = [&](httplib::Headers headers) {
      return status(plain.Post(path, headers, level, "text/plain"));
    };
    EXPECT_EQ(post({}), 403) << path;
    EXPECT_EQ(post({{"X-Infer-Admin", "1"}, {"Host", "evil.example"}}), 403) << path;
    EXPECT_EQ(post({{"X-Infer-Admin", "1"}, {"Host", "x"}}), 403)
        << path << ": --allowed-hosts is for the service";
    for (const char* origin :
         {"http://evil.example", "null", "http://localhost", "http://localhost:1", "file://", ""})
      EXPECT_EQ(post({{"X-Infer-Admin", "1"}, {"Origin", origin}}), 403) << path << origin;
    for (const char* site : {"cross-site", "same-site", "", "None"})
      EXPECT_EQ(post({{"X-Infer-Admin", "1"}, {"Sec-Fetch-Site", site}}), 403) << path << site;
    EXPECT_EQ(post({{"x-infer-admin", "1"}, {"Origin", "http://" + host}, {"Sec-Fetch-Site", "same-origin"}}),
              200)
        << path;
    EXPECT_EQ(plain.Options(path)->status, 405) << "a browser asks first, and the server refuses";
    EXPECT_EQ(status(plain.Get(path, {{"X-Infer-Admin", "1"}})), 405);
  }
}

TEST(Origin, UnsafeMethodsOfTheServiceRefuseOtherSites) {
  TestServer server(with_repository());
  auto client = server.client();
  const std::string own = "http://127.0.0.1:" + std::to_string(server.port());
  for (const char* path : {"/v2/models/scripted/infer", "/embed", "/v2/repository/index",
                           "/v2/repository/models/scripted/unload", "/v2/repository/models/x/unload"}) {
    const auto post = [&](httplib::Headers headers) {
      return status(client.Post(path, headers, "{}", "text/plain"));
    };
    EXPECT_EQ(post({{"Origin", "http://evil.example"}}), 403) << path;
    EXPECT_EQ(post({{"Origin", "null"}}), 403) << path;
    EXPECT_EQ(post({{"Sec-Fetch-Site", "cross-site"}}), 403) << path;
    EXPECT_EQ(post({{"Origin", own}, {"Sec-Fetch-Site", "same-site"}}), 403) << path;
  }
  for (const char* path : {"/v2/models/scripted/infer", "/embed"}) {
    const auto post = [&](httplib::Headers headers) {
      return status(client.Post(path, headers, "{}", "text/plain"));
    };
    EXPECT_NE(post({}), 403) << path << ": curl";
    EXPECT_NE(post({{"Origin", own}, {"Sec-Fetch-Site", "same-origin"}}), 403) << path << ": the page at /";
  }
  EXPECT_EQ(status(client.Get("/v2", {{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}})),
            200)
      << "a link from another site may be followed";
}

TEST(Origin, ARefusalIsSaidBeforeTheBodyIsRead) {
  TestServer server;
  const std::string answer = server.raw(
      "POST /embed HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\n\r\nhelloGET /health HTTP/1.1\r\n"
      "Host: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find(" 403 "), std::string::npos);
  EXPECT_NE(answer.find("add the name to --allowed-hosts"), std::string::npos) << answer;
  EXPECT_NE(answer.find(" 200 "), std::string::npos) << "the connection accepts the next request";
}

}  // namespace
}  // namespace infer::http::testing
