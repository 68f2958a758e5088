#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "http/test_server.h"

namespace infer::http {
namespace {

using infer::testing::Bytes;
using testing::images_json;
using testing::TestServer;

Bytes photo(const char* name) { return infer::testing::read_bytes(infer::testing::golden(name).encoded); }

std::string text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<std::vector<double>> vectors(const std::string& body) {
  simdjson::dom::parser parser;
  std::vector<std::vector<double>> out;
  for (auto row : parser.parse(body)["embeddings"].get_array()) {
    out.emplace_back();
    for (auto value : row.get_array()) out.back().push_back(value.get_double());
  }
  return out;
}

std::string gzip(const std::string& data) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(data.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Embed, ImagesComeBackAsUnitVectorsInTheirOrder) {
  TestServer server;
  auto client = server.client();
  const auto both =
      client.Post("/embed/base64", images_json({photo("rocket"), photo("coffee")}), "application/json");
  ASSERT_TRUE(both);
  ASSERT_EQ(both->status, 200) << both->body;
  const auto pair = vectors(both->body);
  ASSERT_EQ(pair.size(), 2u);
  EXPECT_NE(pair[0], pair[1]);
  for (const auto& vector : pair) {
    double sum = 0;
    for (const double value : vector) sum += value * value;
    EXPECT_EQ(vector.size(), 8u);
    EXPECT_NEAR(sum, 1.0, 1e-5);
  }
  EXPECT_NE(both->body.find("\"model\":\"scripted\",\"model_version\":\"1\",\"dim\":8"), std::string::npos);
  const auto swapped =
      client.Post("/embed/base64", images_json({photo("coffee"), photo("rocket")}), "application/json");
  EXPECT_EQ(vectors(swapped->body), (std::vector<std::vector<double>>{pair[1], pair[0]}));
}

TEST(Embed, RawMultipartAndCompressedBodiesGiveTheSameVector) {
  TestServer server;
  auto client = server.client();
  const std::string bytes = text(photo("rocket"));
  const auto expected =
      vectors(client.Post("/embed/base64", images_json({photo("rocket")}), "application/json")->body);
  const auto check = [&](const httplib::Result& answer, const char* what) {
    ASSERT_TRUE(answer) << what;
    ASSERT_EQ(answer->status, 200) << what << answer->body;
    EXPECT_EQ(vectors(answer->body), expected) << what;
  };
  check(client.Post("/embed", bytes, "image/jpeg"), "raw");
  check(client.Post("/embed", bytes, "application/octet-stream"), "octets");
  check(client.Post("/embed", httplib::MultipartFormDataItems{{"file", bytes, "rocket.jpg", "image/jpeg"}}),
        "multipart");
  check(client.Post("/embed/base64", {{"Content-Encoding", "gzip"}}, gzip(images_json({photo("rocket")})),
                    "application/json"),
        "gzip");
  check(client.Post(
            "/embed", bytes.size(),
            [&](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
              return sink.write(bytes.data() + offset, length);
            },
            "image/jpeg"),
        "provider");
  check(client.Post(
            "/embed",
            [&](std::size_t, httplib::DataSink& sink) {
              sink.write(bytes.data(), bytes.size());
              sink.done();
              return true;
            },
            "image/jpeg"),
        "chunked");
}

TEST(Embed, AModelInTheQueryIsObeyedOrRefused) {
  TestServer server;
  auto client = server.client();
  const std::string bytes = text(photo("rocket"));
  const httplib::MultipartFormDataItems parts{{"file", bytes, "rocket.jpg", "image/jpeg"}};
  const httplib::MultipartFormDataItems named{{"model", "scripted", "", ""},
                                              {"file", bytes, "rocket.jpg", "image/jpeg"}};
  const auto expect = [&](const std::string& query, int status, int status_where_body_names_it,
                          const std::string& message) {
    const std::string base64 = infer::http::testing::encode_base64(photo("rocket"));
    const auto check = [&](const httplib::Result& answer, int wanted, const char* what) {
      ASSERT_TRUE(answer) << what;
      EXPECT_EQ(answer->status, wanted) << what << " " << query << " " << answer->body;
      EXPECT_TRUE(wanted == 200 || answer->body.find(message) != std::string::npos) << answer->body;
    };
    check(client.Post("/embed" + query, bytes, "image/jpeg"), status, "raw");
    check(client.Post("/embed" + query, parts), status, "multipart");
    check(client.Post("/embed/base64" + query, R"({"images":[")" + base64 + "\"]}", "application/json"),
          status, "base64");
    check(client.Post("/v1/embeddings" + query, R"({"input":")" + base64 + "\"}", "application/json"), status,
          "openai");
    const int with_body = status_where_body_names_it;
    check(client.Post("/embed" + query, named), with_body, "multipart with a name");
    check(client.Post("/v1/embeddings" + query, R"({"model":"scripted","input":")" + base64 + "\"}",
                      "application/json"),
          with_body, "openai with a name");
  };
  expect("?model=scripted", 200, 200, "");
  expect("?model=scripted&version=1", 200, 200, "");
  expect("?user=me&mod%65l=%73cripted&model=scripted&x&=&&", 200, 200, "");
  expect("?models=none&bad=%zz", 200, 200, "");  // without effect on this route
  expect("?version=2", 404, 404, "version: '2' is not loaded");
  expect("?model=scripted%32", 404, 400, "scripted2");
  expect("?model=", 404, 400, "''");
  expect("?model=a%20b", 404, 400, "'a b'");
  expect("?model=scripted%", 400, 400, "model: in the query, 'scripted%'");
  expect("?model=%00", 400, 400, "percent-escape");
  expect("?model=scripted&model=other", 400, 400, "given as 'scripted' and as 'other'");
}

TEST(Embed, MoreImagesThanTheQueueHoldsStillSucceed) {
  TestServer::Setup setup;
  setup.engine.batch.max_queue_size = 4;
  TestServer server(setup);
  const std::vector<Bytes> images(40, photo("rocket"));
  const auto answer = server.client().Post("/embed/base64", images_json(images), "application/json");
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(vectors(answer->body).size(), 40u);
}

TEST(Embed, TextAsksForAModelThatIsNotThere) {
  TestServer server;
  const auto answer = server.client().Post("/embed", R"({"inputs":"hello"})", "application/json");
  EXPECT_EQ(answer->status, 404);
  EXPECT_NE(answer->body.find("no text-embedding model"), std::string::npos);
}

TEST(Embed, TheRequestIdIsEchoedAndLogged) {
  TestServer server;
  auto client = server.client();
  const std::string body = images_json({photo("rocket")});
  const auto answer = client.Post("/embed/base64", {{"X-Request-Id", "abc-123"}}, body, "application/json");
  EXPECT_EQ(answer->get_header_value("X-Request-Id"), "abc-123");
  const std::string line = server.log_lines().back();
  for (const char* field :
       {"\"event\":\"request\"", "\"timestamp\":\"2", "\"request_id\":\"abc-123\"",
        "\"route\":\"/embed/base64\"", "\"status\":200", "\"latency_ms\":", "\"model\":\"scripted\"",
        "\"model_version\":\"1\"", "\"batch_size\":1", "\"queue_ms\":", "\"compute_ms\":"}) {
    EXPECT_NE(line.find(field), std::string::npos) << field << " in " << line;
  }
  const auto made =
      client.Post("/embed/base64", {{"X-Request-Id", std::string(200, 'x')}}, body, "application/json");
  EXPECT_EQ(made->get_header_value("X-Request-Id").size(), 16u);
}

TEST(Embed, AConnectionEndsAfterItsShareOfRequests) {
  TestServer::Setup setup;
  setup.server.listener.max_requests_per_connection = 5;
  TestServer server(setup);
  auto client = server.client();
  client.set_keep_alive(true);
  int closed = 0;
  for (int i = 0; i < 18; ++i) {
    const auto answer = client.Get("/health");
    ASSERT_TRUE(answer);
    if (answer->get_header_value("Connection") == "close") ++closed;
  }
  EXPECT_GE(closed, 3);  // 5 requests, varied by 20 %
  EXPECT_LE(closed, 5);
}

TEST(Embed, AClientThatWaitsForLeaveToSendGetsIt) {
  TestServer server;
  const int fd = testing::connect_to(server.port());
  const std::string body = "{}";
  const std::string head =
      "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  ASSERT_EQ(::send(fd, head.data(), head.size(), 0), static_cast<ssize_t>(head.size()));
  std::string answer(4096, '\0');
  ssize_t count = ::recv(fd, answer.data(), answer.size(), 0);  // would block forever without "100 Continue"
  ASSERT_GT(count, 0);
  EXPECT_EQ(answer.substr(0, static_cast<std::size_t>(count)), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_EQ(::send(fd, body.data(), body.size(), 0), 2);
  count = ::recv(fd, answer.data(), answer.size(), 0);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  ::close(fd);
}

}  // namespace
}  // namespace infer::http
