// Tests connections with bytes that no well-behaved client sends, or that arrive at an unlucky moment.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <latch>
#include <thread>

#include "exchange/request_body.h"
#include "http/test_server.h"

namespace infer::http {
namespace {

using std::chrono::milliseconds;
using testing::connect_to;
using testing::TestServer;

const std::string kNext = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

void send(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Returns everything that arrives until the end of the connection or until nothing has arrived for
/// `patience_ms`.
std::string receive(int fd, int patience_ms = 5000) {
  std::string answer;
  char buffer[4096];
  while (true) {
    pollfd readable{fd, POLLIN, 0};
    if (::poll(&readable, 1, patience_ms) <= 0) return answer + "(no end)";
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() / 2 + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string chunk(const std::string& text) {
  char size[20];
  (void)std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + text + "\r\n0\r\n\r\n";
}

TEST(Wire, AMessageThatTwoCouldReadDifferentlyIsRefusedAndEndsTheConnection) {
  TestServer server;
  const std::string smuggled = kNext;
  const std::string post = "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  for (const std::string& bytes :
       {post + "Content-Length : 45\r\n\r\n" + smuggled, post + "Content-Length: %31%36\r\n\r\n" + smuggled,
        post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX" + smuggled,
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + smuggled,
        post + "Transfer-Encoding: xchunked\r\n\r\n" + smuggled,
        post + "Transfer-Encoding:\n chunked\r\n\r\n" + smuggled,
        post + "X: a\nContent-Length: 0\r\n\r\n" + smuggled, post + "Host: b\r\n\r\n" + smuggled,
        post + "Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n" + smuggled,
        post + "Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n" + smuggled,
        post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n" + smuggled,
        post + "Transfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n" + smuggled,
        post + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n" + smuggled,
        std::string("POST /embed HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") + smuggled}) {
    const std::string answer = server.raw(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")) << bytes << answer;
    EXPECT_EQ(count(answer, "HTTP/1.1 "), 1u) << bytes << answer;
  }
}

TEST(Wire, ABodyIsReadWhateverTheMethodIs) {
  TestServer server;
  for (const char* method : {"GET", "DELETE", "OPTIONS", "PUT", "PATCH"}) {
    for (const std::string& body :
         {"Content-Length: 33\r\n\r\n" + kNext, "Transfer-Encoding: chunked\r\n\r\n" + chunk(kNext)}) {
      const std::string answer = server.raw(std::string(method) + " /livez HTTP/1.1\r\nHost: a\r\n" + body +
                                            "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      EXPECT_EQ(count(answer, "HTTP/1.1 "), 2u) << method << answer;
    }
  }
}

TEST(Wire, TrailersAreDropped) {
  TestServer server;
  const std::string answer = server.raw(
      "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "2\r\n{}\r\n0\r\nX-Request-Id: trailer\r\nContent-Length: 5\r\n\r\n" +
      kNext + "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(count(answer, "HTTP/1.1 "), 3u) << answer;
  EXPECT_EQ(count(answer, "trailer"), 0u) << answer;
}

TEST(Wire, RangesAreIgnored) {
  TestServer server;
  for (const char* path : {"/livez", "/openapi.json", "/metrics", "/", "/nowhere"}) {
    const std::string request = std::string("GET ") + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    const std::string whole = server.raw(request + "\r\n");
    for (const char* range : {"bytes=0-0", "bytes=0-0,2-2", "bytes=-1", "bytes=99999999-", "lines=1"}) {
      const std::string answer = server.raw(request + "Range: " + range + "\r\nIf-Range: x\r\n\r\n");
      EXPECT_EQ(answer.substr(0, 15), whole.substr(0, 15)) << path << range;
      const std::size_t body = answer.find("\r\n\r\n") + 4;
      EXPECT_NE(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n"),
                std::string::npos)
          << path << range << answer.substr(0, body);
      EXPECT_EQ(count(answer, "Content-Range"), 0u);
    }
  }
}

TEST(Wire, AnAnswerToHeadHasNoBody) {
  TestServer server;
  const std::string get = server.raw("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string head = server.raw(
      "HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string length = get.substr(get.find("Content-Length"), 19);
  EXPECT_EQ(count(head, length.substr(0, length.find('\r'))), 2u) << head;
  EXPECT_EQ(count(head, "\r\n\r\nHTTP/1.1"), 2u) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST(Wire, ARequestFollowedByTheEndOfSendingHasItsAnswer) {
  TestServer::Setup setup;
  setup.script.base = milliseconds(50);
  TestServer server(setup);
  const std::string body =
      testing::images_json({infer::testing::read_bytes(infer::testing::golden("jpeg").encoded)});
  for (const std::string& bytes :
       {"POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body,
        "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n" +
            chunk(body)}) {
    const int fd = connect_to(server.port());
    send(fd, bytes + bytes);
    ::shutdown(fd, SHUT_WR);
    const std::string answer = receive(fd);
    EXPECT_EQ(count(answer, "HTTP/1.1 200 OK"), 2u) << answer.substr(0, 500);
    EXPECT_FALSE(answer.ends_with("(no end)"));
    ::close(fd);
  }
}

TEST(Wire, ABodyThatTheEndOfSendingCutsShortIsAnError) {
  TestServer server;
  const int fd = connect_to(server.port());
  send(fd, "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
  ::shutdown(fd, SHUT_WR);
  const std::string answer = receive(fd);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  EXPECT_NE(answer.find("body: the connection ended before the end of the body"), std::string::npos)
      << answer;
  ::close(fd);
}

TEST(Wire, ThereIsOneFinalAnswerToAnExpectation) {
  TestServer::Setup setup;
  setup.server.listener.max_body_bytes = 1000;
  TestServer server(setup);
  const std::string post = "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  const std::string tea = server.raw(post + "Expect: tea\r\nContent-Length: 2\r\n\r\n{}" + kNext);
  EXPECT_TRUE(tea.starts_with("HTTP/1.1 417")) << tea;
  EXPECT_EQ(count(tea, "HTTP/1.1 "), 1u) << tea;
  const std::string large = server.raw(post + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413")) << large;
  EXPECT_EQ(count(large, "HTTP/1.1 "), 1u) << large;
  const std::string lost = server.raw(
      "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n" + kNext);
  EXPECT_TRUE(lost.starts_with("HTTP/1.1 404")) << lost;
  EXPECT_EQ(count(lost, "HTTP/1.1 "), 1u) << lost;
  const std::string old =
      server.raw("POST /embed/base64 HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(count(old, "100 Continue"), 0u) << old;
  EXPECT_EQ(count(old, "HTTP/1.1 "), 1u) << old;
}

TEST(Wire, ARequestOfHttp10EndsTheConnectionUnlessItAsksOtherwise) {
  TestServer server;
  const std::string once = server.raw("GET /livez HTTP/1.0\r\n\r\n" + kNext);
  EXPECT_EQ(count(once, "HTTP/1.1 "), 1u) << once;
  const std::string twice =
      server.raw("GET /livez HTTP/1.0\r\nConnection: KEEP-alive\r\n\r\nGET /livez HTTP/1.0\r\n\r\n");
  EXPECT_EQ(count(twice, "HTTP/1.1 200"), 2u) << twice;
  EXPECT_EQ(count(twice, "Connection: keep-alive"), 1u) << twice;
}

TEST(Wire, ABodyThatNobodyWantsIsNotUnpacked) {
  TestServer server;
  const std::string bomb = gzip(std::string(std::size_t{200} << 20, '-'));
  ASSERT_LT(bomb.size(), std::size_t{1} << 20);
  for (const char* path : {"/nowhere", "/livez"}) {
    const auto start = std::chrono::steady_clock::now();
    const std::string answer =
        server.raw(std::string("POST ") + path +
                   " HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Type: "
                   "multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   chunk(bomb) + "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 40")) << answer;
    EXPECT_EQ(count(answer, "HTTP/1.1 "), 2u) << answer;
    // Decompression alone takes several times as long.
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(100));
  }
}

TEST(Wire, EveryUnpackedByteOfAMultipartBodyCounts) {
  TestServer::Setup setup;
  setup.server.listener.max_body_bytes = 100'000;
  TestServer server(setup);
  const std::string padding(200'000, 'x');
  const std::string part = "--b\r\n\r\nx\r\n";
  for (const std::string& body : {padding + "\r\n" + part + "--b--", part + "--b--" + padding,
                                  "--b\r\nX: " + padding + "\r\n\r\nx\r\n--b--"}) {
    const std::string packed = gzip(body);
    const std::string answer = server.raw(
        "POST /embed HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: gzip\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: " +
        std::to_string(packed.size()) + "\r\n\r\n" + packed);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << answer;
  }
}

TEST(Wire, WhatAChunkedBodyHasRoomForCountsAgainstTheBudget) {
  TestServer::Setup setup;
  setup.server.listener.max_buffered_bytes = 200'000;
  TestServer server(setup);
  const std::string post =
      "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(server.raw(post + chunk(std::string(60'000, ' '))).starts_with("HTTP/1.1 400"));
  std::string pieces;
  for (int i = 0; i < 14; ++i) pieces += "2710\r\n" + std::string(10'000, ' ') + "\r\n";
  EXPECT_TRUE(server.raw(post + pieces + "0\r\n\r\n").starts_with("HTTP/1.1 429"))
      << "128 KiB while the body moves to a larger buffer";
  EXPECT_TRUE(server.raw(post + chunk(std::string(60'000, ' '))).starts_with("HTTP/1.1 400"))
      << "the memory was released";
}

TEST(Wire, MemoryThatWaitsForTheNextBodyCountsAgainstTheBudget) {
  constexpr std::size_t kKiB = 1024;
  BodyBudget budget(1000 * kKiB);
  BodyBudget::Share share(budget);
  EXPECT_TRUE(share.hold(1000 * kKiB));
  (void)share.pool().take(200 * kKiB);                 // taken and released
  const std::size_t kept = share.pool().kept_bytes();  // 0 under a sanitizer
  EXPECT_LE(kept, 250 * kKiB);
  EXPECT_TRUE(share.hold(1000 * kKiB - kept));
  EXPECT_FALSE(share.hold(1000 * kKiB - kept + 1));
  EXPECT_TRUE(share.hold(1)) << "a smaller amount is always available";
  (void)share.pool().take(900 * kKiB);
  EXPECT_LE(share.pool().kept_bytes(), 250 * kKiB) << "at most a quarter is kept for reuse";
}

TEST(Wire, TheTimeForABodyPassesForThoseTooWhoseBytesNeverStop) {
  TestServer::Setup setup;
  setup.server.listener.body_timeout = milliseconds(300);
  TestServer server(setup);
  const int fd = connect_to(server.port());
  send(fd,
       "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: "
       "chunked\r\n\r\n");
  std::atomic<bool> stop{false};
  std::thread drip([&] {
    while (!stop) send(fd, "1\r\n \r\n");
  });
  const std::string answer = receive(fd);
  stop = true;
  ::shutdown(fd, SHUT_RDWR);
  drip.join();
  ::close(fd);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
}

TEST(Wire, WhenPlacesRunOutOneUnfinishedHeadMakesRoomAndIsTold) {
  TestServer::Setup setup;
  setup.server.listener.max_connections = 8;
  setup.server.listener.header_timeout = std::chrono::minutes(10);
  TestServer server(setup);
  std::vector<int> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(connect_to(server.port()));
    send(slow.back(), "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
  }
  // Uses one connection, because the server may not yet know of closed connections when the next one
  // arrives.
  httplib::Client quick = server.client();
  quick.set_keep_alive(true);
  for (int i = 0; i < 20; ++i) {
    const auto answer = quick.Get("/livez");
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, 200);
  }
  int told = 0;
  for (const int fd : slow) {
    send(fd, "\r\n");
    const std::string answer = receive(fd);
    if (answer.find("max_connections 8") != std::string::npos) {
      ++told;
    } else {
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    }
    ::close(fd);
  }
  EXPECT_EQ(told, 1);
}

TEST(Wire, AHeadInPiecesHoldsNoThreadAndIsAnswered) {
  TestServer server;
  const std::string request = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const int fd = connect_to(server.port());
  for (const char byte : request) send(fd, std::string_view(&byte, 1));
  EXPECT_TRUE(receive(fd).starts_with("HTTP/1.1 200"));
  ::close(fd);
}

TEST(Wire, LongTargetsAndLongHeadersHaveTheirOwnStatus) {
  TestServer server;
  for (const std::size_t size : {5'000, 15'000, 17'000, 100'000}) {
    const std::string target = server.raw("GET /" + std::string(size, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(target.starts_with("HTTP/1.1 414")) << size << target;
  }
  for (const std::size_t size : {17'000, 100'000}) {
    const std::string headers =
        server.raw("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(size, 'a') + "\r\n\r\n");
    EXPECT_TRUE(headers.starts_with("HTTP/1.1 431")) << size << headers;
  }
  EXPECT_TRUE(server
                  .raw("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'a') +
                       "\r\nConnection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 200"));
}

TEST(Wire, AnIdleConnectionWithARequestInItIsNotIdle) {
  TestServer::Setup setup;
  setup.server.listener.max_connections = 1;
  TestServer server(setup);
  for (int round = 0; round < 50; ++round) {
    const int fd = connect_to(server.port());
    send(fd, kNext);
    const int other = connect_to(server.port());  // makes the first connection leave
    const std::string answer = receive(fd);
    EXPECT_EQ(count(answer, "HTTP/1.1 200"), 1u) << answer;
    send(other, "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(count(receive(other), "HTTP/1.1 200"), 1u);
    ::close(fd);
    ::close(other);
  }
}

}  // namespace
}  // namespace infer::http
