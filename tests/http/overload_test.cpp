// Disconnects, deadlines, overload and drain with requests in progress. Also runs under ThreadSanitizer.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "http/test_server.h"

namespace infer::http {
namespace {

using std::chrono::milliseconds;
using testing::connect_to;
using testing::images_json;
using testing::TestServer;

/// Blocks every forward until it is released.
struct Gate {
  std::counting_semaphore<1 << 20> entered{0};
  std::counting_semaphore<1 << 20> go{0};
  std::atomic<int> forwards{0};
  std::function<Result<void>(std::span<const Tensor>)> hook() {
    return [this](std::span<const Tensor>) -> Result<void> {
      ++forwards;
      entered.release();
      go.acquire();
      return {};
    };
  }
};

std::string body() {
  static const std::string text =
      images_json({infer::testing::read_bytes(infer::testing::golden("jpeg").encoded)});
  return text;
}

std::string request_bytes() {
  return "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body().size()) + "\r\n\r\n" + body();
}

/// Resets the connection, so that the peer notices at once. A close alone would only end the sending
/// direction.
void hang_up(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd);
}

template <class Condition>
void eventually(Condition condition) {
  while (!condition()) std::this_thread::yield();  // CTest's time limit ends a wait that never succeeds
}

TEST(HangUp, AWaitingRequestWhoseClientLeavesCostsNoForward) {
  Gate gate;
  TestServer::Setup setup;
  setup.script.before = gate.hook();
  TestServer server(setup);
  std::thread first(
      [&] { EXPECT_EQ(server.client().Post("/embed/base64", body(), "application/json")->status, 200); });
  gate.entered.acquire();
  const int fd = connect_to(server.port());
  const std::string bytes = request_bytes();
  ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  eventually([&] { return server.engine().stats().scheduler.queue_size == 1; });
  hang_up(fd);
  // The watcher has noticed once the worker, when free, can collect the cancelled task.
  gate.go.release();
  first.join();
  gate.go.release(4);
  eventually([&] {
    const auto stats = server.engine().stats();
    return stats.scheduler.queue_size == 0 && stats.inflight == 0;
  });
  const auto stats = server.engine().stats().scheduler;
  EXPECT_EQ(stats.cancelled + static_cast<std::uint64_t>(gate.forwards), 2u);
}

TEST(HangUp, IsNoticedWhileTheServerWaits) {
  Gate gate;
  TestServer::Setup setup;
  setup.script.before = gate.hook();
  TestServer server(setup);
  std::thread first(
      [&] { EXPECT_EQ(server.client().Post("/embed/base64", body(), "application/json")->status, 200); });
  gate.entered.acquire();
  constexpr int kClients = 10;
  std::vector<int> sockets;
  const std::string bytes = request_bytes();
  for (int i = 0; i < kClients; ++i) {
    sockets.push_back(connect_to(server.port()));
    (void)!::send(sockets.back(), bytes.data(), bytes.size(), 0);
  }
  eventually([&] { return server.engine().stats().scheduler.queue_size == kClients; });
  for (const int fd : sockets) hang_up(fd);
  // Enqueueing another request does not purge, so let the watcher run: closing is synchronous on loopback,
  // and only the epoll thread must still run.
  std::this_thread::sleep_for(milliseconds(200));  // the test checks that the watcher notices in real time
  gate.go.release(1);
  first.join();
  eventually([&] { return server.engine().stats().inflight == 0; });
  EXPECT_EQ(gate.forwards, 1);
  EXPECT_EQ(server.engine().stats().scheduler.cancelled, static_cast<std::uint64_t>(kClients));
}

TEST(Overload, TheRestGets429WithRetryAfterAndTheAcceptedAreServed) {
  Gate gate;
  TestServer::Setup setup;
  setup.script.before = gate.hook();
  setup.engine.max_inflight = 4;
  TestServer server(setup);
  std::vector<std::thread> accepted;
  for (int i = 0; i < 4; ++i) {
    accepted.emplace_back(
        [&] { EXPECT_EQ(server.client().Post("/embed/base64", body(), "application/json")->status, 200); });
  }
  eventually([&] { return server.engine().stats().inflight == 4; });
  for (int i = 0; i < 20; ++i) {
    const auto refused = server.client().Post("/embed/base64", body(), "application/json");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 429);
    EXPECT_NE(refused->body.find(
                  "\"code\":\"Overloaded\",\"message\":\"requests in flight: max_inflight 4 reached\""),
              std::string::npos)
        << refused->body;
    const int seconds = std::stoi(refused->get_header_value("Retry-After"));
    EXPECT_GE(seconds, 1);
    EXPECT_LE(seconds, 30);
  }
  EXPECT_EQ(server.client().Get("/readyz")->status, 200) << "a server with a full queue is ready";
  EXPECT_EQ(server.probe_client().Get("/livez")->status, 200);
  gate.go.release(100);
  for (auto& thread : accepted) thread.join();
}

TEST(Deadline, IsAnswered504WhenItPassesAlthoughTheWorkerIsBusy) {
  Gate gate;
  TestServer::Setup setup;
  setup.script.before = gate.hook();
  TestServer server(setup);
  std::thread first(
      [&] { EXPECT_EQ(server.client().Post("/embed/base64", body(), "application/json")->status, 200); });
  gate.entered.acquire();
  const auto late =
      server.client().Post("/embed/base64", {{"X-Timeout-Ms", "30"}}, body(), "application/json");
  ASSERT_TRUE(late);
  EXPECT_EQ(late->status, 504);
  EXPECT_EQ(gate.forwards, 1);
  gate.go.release(10);
  first.join();
}

TEST(DrainUnderLoad, EveryRequestIsAnsweredAndTheConnectionsEnd) {
  TestServer::Setup setup;
  setup.script.base = milliseconds(1);
  setup.engine.threads.workers = 2;
  TestServer server(setup);
  std::atomic<int> served{0};
  std::atomic<int> refused{0};
  std::atomic<int> lost{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      auto client = server.client();
      client.set_keep_alive(true);
      while (!stop) {
        const auto answer = client.Post("/embed/base64", body(), "application/json");
        if (!answer) {
          ++lost;
          break;
        }
        ++(answer->status == 200 ? served : refused);
        if (answer->status == 503) break;
        ASSERT_TRUE(answer->status == 200 || answer->status == 503) << answer->body;
      }
    });
  }
  eventually([&] { return served > 50; });
  const DrainReport report = server.service().drain(milliseconds(20000));
  EXPECT_TRUE(report.in_time);
  EXPECT_EQ(report.failed, 0u);
  eventually([&] { return refused + lost == 8; });
  for (auto& client : clients) client.join();
  EXPECT_EQ(lost, 0);
  server.listener().stop();
}

TEST(Pipeline, AnAnswerDoesNotWaitForTheRequestBehindIt) {
  Gate gate;
  TestServer::Setup setup;
  setup.script.before = gate.hook();
  TestServer server(setup);
  const int fd = connect_to(server.port());
  const std::string bytes = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" + request_bytes();
  ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  gate.entered.acquire();
  std::string answers(1 << 16, '\0');
  const ssize_t first = ::recv(fd, answers.data(), answers.size(), 0);
  EXPECT_EQ(answers.substr(0, 15), "HTTP/1.1 200 OK");
  gate.go.release();
  EXPECT_GT(::recv(fd, answers.data() + first, 15, MSG_WAITALL), 0);
  EXPECT_EQ(answers.substr(static_cast<std::size_t>(first), 15), "HTTP/1.1 200 OK");
  ::close(fd);
}

TEST(Pipeline, RequestsOfAPeerThatReadsLateAreAllAnswered) {
  TestServer server;
  constexpr int kRequests = 60;
  std::string bytes;
  for (int i = 0; i < kRequests; ++i) {
    const char* connection = i + 1 == kRequests ? "Connection: close\r\n" : "";
    bytes += std::string("GET /openapi.json HTTP/1.1\r\nHost: a\r\n") + connection + "\r\n";
  }
  const std::string answers = server.raw(bytes);
  int count = 0;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200 OK", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, kRequests);
  EXPECT_EQ(answers.back(), '}');
}

TEST(Stress, HangUpsDrainAndOverloadTogetherLeaveNothingBehind) {
  TestServer::Setup setup;
  setup.script.per_sample = std::chrono::microseconds(300);
  setup.engine.threads.workers = 2;
  setup.engine.max_inflight = 6;
  TestServer server(setup);
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back([&, i] {
      const std::string bytes = request_bytes();
      for (int round = 0; round < 15; ++round) {
        if ((i + round) % 3 == 0) {
          const int fd = connect_to(server.port());
          (void)!::send(fd, bytes.data(), bytes.size() - (round % 2 == 0 ? 0 : 100), MSG_NOSIGNAL);
          ::close(fd);
        } else {
          const auto answer = server.client().Post("/embed/base64", body(), "application/json");
          if (answer && (answer->status == 200 || answer->status == 429)) ++answered;
        }
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(answered, 12 * 10);
  eventually([&] { return server.engine().stats().inflight == 0 && server.service().active() == 0; });
}

}  // namespace
}  // namespace infer::http
