#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "http/test_server.h"
#include "infer/serving/api_keys.h"
#include "message/trace_context.h"

namespace infer::http::testing {
namespace {

constexpr const char* kKey = "a-key-of-enough-characters";
constexpr const char* kOther = "another-key-of-enough-characters";

class Access : public ::testing::Test {
 protected:
  Access() { std::filesystem::create_directories(folder_); }
  ~Access() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }

  static httplib::Headers bearer(const std::string& key) { return {{"Authorization", "Bearer " + key}}; }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("infer-access-" + std::to_string(getpid()));
};

TEST_F(Access, WithoutAKeyNothingButHealthIsServed) {
  TestServer::Setup setup;
  setup.server.api_keys = write("keys", std::string("# ours\n\n") + kKey + "\r\n").string();
  TestServer server(std::move(setup));
  auto client = server.client();
  for (const char* path : {"/v2", "/v1/models", "/openapi.json", "/metrics"}) {
    const auto refused = client.Get(path);
    EXPECT_EQ(refused->status, 401) << path;
    EXPECT_EQ(refused->get_header_value("WWW-Authenticate"), "Bearer");
    EXPECT_EQ(client.Get(path, bearer("wrong"))->status, 401) << path;
    EXPECT_EQ(client.Get(path, {{"Authorization", kKey}})->status, 401) << path;
    EXPECT_EQ(client.Get(path, bearer(kKey))->status, 200) << path;
  }
  for (const char* path : {"/health", "/healthz", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
    EXPECT_EQ(client.Get(path)->status, 200) << path;
  EXPECT_EQ(server.probe_client().Get("/metrics")->status, 200);
  EXPECT_NE(client.Get("/v1/models")->body.find(R"("type":"authentication_error")"), std::string::npos);
}

TEST_F(Access, TheSchemeHasNoCase) {
  TestServer::Setup setup;
  setup.server.api_keys = write("keys", std::string(kKey) + "\n").string();
  TestServer server(std::move(setup));
  for (const char* scheme : {"bearer ", "BEARER ", "Bearer  "}) {
    EXPECT_EQ(server.client().Get("/v2", {{"Authorization", std::string(scheme) + kKey}})->status, 200)
        << scheme;
  }
  for (const char* scheme : {"Bearer", "Basic ", "bearerx ", ""}) {
    EXPECT_EQ(server.client().Get("/v2", {{"Authorization", std::string(scheme) + kKey}})->status, 401)
        << scheme;
  }
}

TEST_F(Access, KeysFollowTheirFileAndABadFileChangesNothing) {
  const auto file = write("keys", kKey);
  TestServer::Setup setup;
  setup.server.api_keys = file.string();
  TestServer server(std::move(setup));
  auto client = server.client();
  write("keys", kOther);
  server.service().refresh();
  EXPECT_EQ(client.Get("/v2", bearer(kKey))->status, 401);
  EXPECT_EQ(client.Get("/v2", bearer(kOther))->status, 200);
  write("keys", "short\n");
  server.service().refresh();
  server.service().refresh();
  EXPECT_EQ(client.Get("/v2", bearer(kOther))->status, 200);
  std::filesystem::remove(file);
  server.service().refresh();
  EXPECT_EQ(client.Get("/v2", bearer(kOther))->status, 200);
  std::size_t refusals = 0;
  for (const auto& line : server.log_lines()) refusals += line.find("api_keys_refused") != std::string::npos;
  EXPECT_EQ(refusals, 2U);
}

TEST_F(Access, ARevokedKeyIsForgottenThoughTheFirstReadFailed) {
  const auto file = write("keys", std::string(kKey) + "\n" + kOther + "\n");
  ApiKeys keys(file);
  ASSERT_TRUE(keys.load_if_changed());
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);  // unreadable, also for root
  EXPECT_FALSE(keys.load_if_changed());
  EXPECT_TRUE(keys.load_if_changed()) << "the error is reported once";
  std::filesystem::remove(file);
  const auto next = write("next", std::string(kOther) + "\n");
  std::filesystem::rename(next, file);
  EXPECT_TRUE(keys.load_if_changed());
  EXPECT_FALSE(keys.accepts(kKey));
  EXPECT_TRUE(keys.accepts(kOther));
}

TEST_F(Access, AFileThatFailedIsReadAgainThoughNothingOfItHasChanged) {
  const auto file = write("file", "content");
  FileWatch watch(file);
  int calls = 0;
  bool works = false;
  const auto read = [&]() -> Result<void> {
    ++calls;
    if (works) return {};
    return fail(ErrorCode::kUnavailable, "too many open files");
  };
  EXPECT_FALSE(watch.follow(read));
  EXPECT_TRUE(watch.follow(read)) << "the same error of the same file is not reported again";
  works = true;
  EXPECT_TRUE(watch.follow(read));
  EXPECT_EQ(calls, 3);
  works = false;
  std::filesystem::remove(file);
  EXPECT_FALSE(watch.follow(read));
}

/// Follows the file of a key and certificate as a server does.
class Follower {
 public:
  explicit Follower(const std::filesystem::path& file) : watch_(file) {}
  /// Checks the file. Returns whether it was read or could not be read.
  Result<void> look() {
    return watch_.follow([this]() -> Result<void> {
      ++reads;
      std::ifstream in(watch_.file());
      std::string text;
      if (!std::getline(in, text)) return fail(ErrorCode::kUnavailable, "cannot be read");
      if (text.substr(0, text.find('|')) != text.substr(text.find('|') + 1))
        return fail(ErrorCode::kInvalidArgument, "key and certificate do not fit: " + text);
      content = text;
      return {};
    });
  }
  int reads = 0;
  std::string content;

 private:
  FileWatch watch_;
};

TEST_F(Access, AKeyAndItsCertificateMayBeSwappedOneAfterTheOther) {
  const auto file = write("pem", "1|1");
  Follower follower(file);
  EXPECT_TRUE(follower.look());
  write("pem", "2|1");
  EXPECT_FALSE(follower.look());
  EXPECT_TRUE(follower.look()) << "the error is reported once";
  EXPECT_EQ(follower.content, "1|1") << "the matching pair stays in use";
  write("pem", "2|2");
  EXPECT_TRUE(follower.look());
  EXPECT_EQ(follower.content, "2|2");
  write("pem", "3|2");
  EXPECT_FALSE(follower.look()) << "a new error is reported again";
}

TEST_F(Access, ALinkThatKubernetesSwapsIsFollowed) {
  // KEYS -> ..data/keys, ..data -> ..1. An update changes the link ..data.
  const auto root = write("secret", "").parent_path() / "mounted";
  for (const std::string version : {"..1", "..2"}) {
    std::filesystem::create_directories(root / version);
    std::ofstream(root / version / "pem") << version << "|" << version;
    // Both have the same old time and the same size, so neither distinguishes them.
    std::filesystem::last_write_time(root / version / "pem", std::filesystem::file_time_type{});
  }
  std::filesystem::create_directory_symlink("..1", root / "..data");
  std::filesystem::create_symlink("..data/pem", root / "pem");
  Follower follower(root / "pem");
  EXPECT_TRUE(follower.look());
  EXPECT_EQ(follower.content, "..1|..1");
  std::filesystem::create_directory_symlink("..2", root / "..data_tmp");
  std::filesystem::rename(root / "..data_tmp", root / "..data");
  EXPECT_TRUE(follower.look());
  EXPECT_EQ(follower.content, "..2|..2");
  std::filesystem::remove_all(root / "..1");
  EXPECT_TRUE(follower.look());
  EXPECT_EQ(follower.content, "..2|..2");
}

TEST_F(Access, AFileWithTheTimeOfTheOneBeforeIsRead) {
  const auto file = write("pem", "1|1");
  const auto time = std::filesystem::last_write_time(file);
  Follower follower(file);
  EXPECT_TRUE(follower.look());
  for (const std::string content : {"2|2", "3|3"}) {
    write("pem", content);  // in place: inode and size do not change
    std::filesystem::last_write_time(file, time);
    EXPECT_TRUE(follower.look());
    EXPECT_EQ(follower.content, content);
  }
}

TEST_F(Access, AFileThatCannotBeReadForAWhileIsReadAfterwards) {
  const auto file = write("pem", "1|1");
  Follower follower(file);
  EXPECT_TRUE(follower.look());
  const auto away = file.parent_path() / "away";
  std::filesystem::rename(file, away);
  std::filesystem::create_directory(file);  // unreadable, also for root
  EXPECT_FALSE(follower.look());
  EXPECT_TRUE(follower.look()) << "the error is reported once";
  EXPECT_EQ(follower.content, "1|1");
  std::filesystem::remove(file);
  EXPECT_FALSE(follower.look()) << "there is none";
  std::filesystem::rename(away, file);  // the same file that was read before
  const int before = follower.reads;
  EXPECT_TRUE(follower.look());
  EXPECT_EQ(follower.reads, before + 1);
  EXPECT_EQ(follower.content, "1|1");
}

TEST_F(Access, AnotherFileWithTheOldTimeAndSizeIsRead) {
  const std::string first = "first-key-of-some-length";
  const std::string second = "other-key-of-some-length";
  ASSERT_EQ(first.size(), second.size());
  for (const bool in_place : {false, true}) {
    const auto file = write("keys", first);
    const auto time = std::filesystem::last_write_time(file);
    ApiKeys keys(file);
    ASSERT_TRUE(keys.load_if_changed());
    if (in_place) {
      std::ofstream(file) << second;
    } else {
      std::filesystem::rename(write("next", second), file);
    }
    std::filesystem::last_write_time(file, time);
    ASSERT_TRUE(keys.load_if_changed());
    EXPECT_FALSE(keys.accepts(first)) << in_place;
    EXPECT_TRUE(keys.accepts(second)) << in_place;
  }
}

TEST_F(Access, AKeyBehindALinkIsFollowedAsKubernetesSwapsIt) {
  for (const char* folder : {"one", "two"}) std::filesystem::create_directories(folder_ / folder);
  write("one/keys", kKey);
  write("two/keys", kOther);
  std::filesystem::create_directory_symlink("one", folder_ / "..data");
  std::filesystem::create_symlink("..data/keys", folder_ / "keys");
  ApiKeys keys(folder_ / "keys");
  ASSERT_TRUE(keys.load_if_changed());
  const auto swap = [&](const char* target) {
    std::filesystem::create_directory_symlink(target, folder_ / "..new");
    std::filesystem::rename(folder_ / "..new", folder_ / "..data");
    ASSERT_TRUE(keys.load_if_changed());
  };
  for (int round = 0; round < 2; ++round) {
    swap("two");
    EXPECT_FALSE(keys.accepts(kKey));
    EXPECT_TRUE(keys.accepts(kOther));
    swap("one");
    EXPECT_TRUE(keys.accepts(kKey));
    EXPECT_FALSE(keys.accepts(kOther));
  }
}

TEST_F(Access, AKeyIsTakenAsItIsWritten) {
  const std::string key = "a%41key+of%20enough=characters%";
  TestServer::Setup setup;
  setup.server.api_keys = write("keys", key).string();
  TestServer server(std::move(setup));
  auto client = server.client();
  EXPECT_EQ(client.Get("/v2", bearer(key))->status, 200);
  EXPECT_EQ(client.Get("/v2", bearer("aAkey+of enough=characters%"))->status, 401);
  EXPECT_EQ(client.Get("/v2", bearer("a%2541key+of%2520enough=characters%25"))->status, 401);
}

TEST_F(Access, NoModelsNameIsToldWithoutAKey) {
  TestServer::Setup setup;
  setup.server.api_keys = write("keys", kKey).string();
  TestServer server(std::move(setup));
  auto client = server.client();
  for (const std::string tail : {"", "/ready", "/config", "/stats", "/versions/1", "/versions/1/ready"}) {
    const auto there = client.Get("/v2/models/scripted" + tail);
    const auto absent = client.Get("/v2/models/no-such" + tail);
    EXPECT_EQ(there->status, 401) << tail;
    EXPECT_EQ(absent->status, there->status) << tail;
    EXPECT_EQ(absent->body, there->body) << tail;
  }
  EXPECT_EQ(client.Get("/v2/models/scripted/ready", bearer(kKey))->status, 200);
}

TEST_F(Access, AKeyFileThatCannotWorkIsNamed) {
  const auto load = [](const std::filesystem::path& file) { return ApiKeys(file).load_if_changed(); };
  EXPECT_NE(load(folder_ / "absent").error().message.find("cannot be read"), std::string::npos);
  EXPECT_NE(load(write("empty", "# none\n")).error().message.find("contains no key"), std::string::npos);
  EXPECT_NE(load(write("short", "# one\n123\n")).error().message.find("line 2: a key of 3 characters"),
            std::string::npos);
}

TEST_F(Access, HttpsIsServedAndPlainHttpIsNot) {
  const std::string pem = (folder_ / "server.pem").string();
  const std::string make =
      "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
      "-days 2 "
      "-keyout " +
      pem + ".key -out " + pem + ".crt 2>/dev/null && cat " + pem + ".key " + pem + ".crt > " + pem;
  ASSERT_EQ(std::system(make.c_str()), 0);
  TestServer server;
  server.listener().use_tls(TlsContext::load(pem).value());
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  const std::string curl = "curl -sS --max-time 20 --cacert " + pem + ".crt ";
  EXPECT_EQ(std::system((curl + url + "/v2/health/live | grep -q live").c_str()), 0);
  // A body larger than all buffers, in both directions.
  std::string json =
      R"({"id":")" + std::string(3'000'000, 'a') +
      R"(","inputs":[{"name":"pixel_values","shape":[0,3,32,32],"datatype":"FP32","data":[]}]})";
  const auto body = write("body", json);
  EXPECT_EQ(std::system((curl + "--tls-max 1.2 -d @" + body.string() + " " + url +
                         "/v2/models/scripted/infer | grep -q aaaaaaaa")
                            .c_str()),
            0);
  // The server refuses TLS 1.2 without forward secrecy or without AEAD.
  const auto handshake = [&](const std::string& how) {
    return std::system((curl + how + " " + url + "/v2/health/live >" + pem + ".out 2>&1").c_str());
  };
  for (const char* good :
       {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"})
    EXPECT_EQ(handshake(std::string("--tls-max 1.2 --ciphers ") + good), 0) << good;
  for (const char* bad : {"AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA",
                          "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256", "AES256-CCM"})
    EXPECT_NE(handshake(std::string("--tls-max 1.2 --ciphers ") + bad), 0) << bad;
  EXPECT_NE(handshake("--tls-max 1.1"), 0);
  EXPECT_NE(server.raw("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_NE(TlsContext::load((folder_ / "absent").string()).error().message.find("tls: "), std::string::npos);
}

TEST_F(Access, ATraceGoesThroughTheLogAndOut) {
  TestServer server;
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto response = server.client().Post("/v2/models/scripted/infer",
                                             {{"traceparent", "00-" + trace + "-00f067aa0ba902b7-01"}}, "{}",
                                             "application/json");
  const std::string out = response->get_header_value("traceparent");
  EXPECT_EQ(out.substr(0, 36), "00-" + trace + "-");
  EXPECT_EQ(out.substr(52), "-01");
  EXPECT_EQ(out.find("00f067aa0ba902b7"), std::string::npos);
  const std::string line = server.log_lines().back();
  EXPECT_NE(line.find("\"trace_id\":\"" + trace + "\",\"span_id\":\"" + out.substr(36, 16) + "\""),
            std::string::npos)
      << line;
}

TEST_F(Access, ATraceThatIsNoneIsPassedOver) {
  const std::string valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(trace_id(valid), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace_id("cc" + valid.substr(2) + "-what-comes-later"), "4bf92f3577b34da6a3ce929d0e0e4736");
  for (const std::string& bad : {std::string(), valid.substr(1), valid + "-00", "ff" + valid.substr(2),
                                 std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
                                 "00-" + std::string(32, '0') + valid.substr(35),
                                 valid.substr(0, 36) + std::string(16, '0') + "-01"}) {
    EXPECT_EQ(trace_id(bad), "") << bad;
  }
}

TEST_F(Access, EachFamilyOfRoutesKeepsItsShapeOfErrors) {
  TestServer server;
  auto client = server.client();
  const auto post = [&](const char* path, const char* type = "application/json") {
    return client.Post(path, "{}", type);
  };
  EXPECT_TRUE(post("/v2/models/none/infer")->body.starts_with(R"({"error":"model 'none')"));
  EXPECT_TRUE(client.Get("/v2/nowhere")->body.starts_with(R"({"error":"no route)"));
  const auto openai = post("/v1/embeddings");
  EXPECT_NE(openai->body.find(R"("type":"invalid_request_error","param":null,"code":"InvalidArgument")"),
            std::string::npos)
      << openai->body;
  EXPECT_EQ(openai->get_header_value("x-should-retry"), "false");
  EXPECT_NE(post("/similarity")->body.find(R"("error_type":"validation")"), std::string::npos);
  EXPECT_NE(post("/embed")->body.find(R"("error_type":"validation")"), std::string::npos);
  EXPECT_NE(post("/embed", "image/png")->body.find(R"("error":{"code":"InvalidArgument")"),
            std::string::npos);
  EXPECT_NE(post("/embed/base64")->body.find(R"("request_id":)"), std::string::npos);
}

TEST_F(Access, WhatMayBeTriedAgainIsNotMarkedAsLost) {
  TestServer::Setup setup;
  setup.load = false;
  TestServer server(std::move(setup));
  const auto loading = server.client().Post("/v1/embeddings", R"({"input":"a"})", "application/json");
  EXPECT_EQ(loading->status, 503);
  EXPECT_FALSE(loading->has_header("x-should-retry"));
  EXPECT_TRUE(loading->has_header("Retry-After"));
}

}  // namespace
}  // namespace infer::http::testing
