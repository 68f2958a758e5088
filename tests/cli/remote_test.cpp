// Tests load, wait and get against the real server.

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/process.h"
#include "client.h"
#include "image/golden.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

using testing::run_infer;

class Remote : public ::testing::Test {
 protected:
  Remote()
      : server_({testing::infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model",
                 testing::scripted_model(folder_.path(), 2), "--drain-delay-ms", "1"}) {
    const std::string listening = server_.line();
    port_ = number(listening, "\"port\":");
    probe_port_ = number(listening, "\"probe_port\":");
  }
  static std::string number(const std::string& json, const std::string& key) {
    const std::size_t at = json.find(key) + key.size();
    return json.substr(at, json.find_first_of(",}", at) - at);
  }
  /// Returns all requests of the last line of `infer load`; a run of more than a second also prints how far
  /// it is.
  static std::size_t requests(const std::string& output) {
    const std::string last = output.substr(std::min(output.rfind("OK="), output.size()));
    return std::stoul(number(last, "OK=")) + std::stoul(number(last, "FAIL="));
  }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + port_ + path; }

  testing::Folder folder_;
  testing::Process server_;
  std::string port_;
  std::string probe_port_;
};

TEST_F(Remote, WaitReturnsWhenTheServerIsReadyAndGetPrintsItsAnswer) {
  EXPECT_EQ(run_infer({"wait", "http://127.0.0.1:" + probe_port_ + "/readyz", "--timeout", "30"}).code, 0);
  EXPECT_EQ(run_infer({"wait", "tcp://127.0.0.1:" + port_}).code, 0);
  const auto health = run_infer({"get", url("/health")});
  EXPECT_EQ(health.code, 0);
  EXPECT_NE(health.output.find("\"status\""), std::string::npos) << health.output;
  const auto absent = run_infer({"get", url("/nowhere")});
  EXPECT_EQ(absent.code, 1);
  EXPECT_NE(absent.output.find("answered 404"), std::string::npos) << absent.output;
}

TEST_F(Remote, LoadSendsAtAConstantRateAndCountsTheAnswers) {
  ASSERT_EQ(run_infer({"wait", "http://127.0.0.1:" + probe_port_ + "/readyz"}).code, 0);
  const auto run =
      run_infer({"load", "--host", url("/embed"), "--body", "@" + testing::golden("jpeg").encoded,
                 "--content-type", "image/jpeg", "--qps", "40", "--seconds", "1"});
  // If a busy machine wakes a thread only after the end, the thread reports its request as not sent. Such
  // requests count too.
  EXPECT_EQ(requests(run.output), 40U) << run.output;
  EXPECT_GT(std::stoi(number(run.output, "OK=")), 0) << run.output;
  const auto json =
      run_infer({"load", "--host", url("/nowhere"), "--qps", "20", "--seconds", "0.5", "--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_NE(json.output.find("\"ok\":0,\"fail\":10"), std::string::npos) << json.output;
  EXPECT_NE(json.output.find("\"404\":"), std::string::npos) << json.output;
}

TEST_F(Remote, LoadTimesFromWhenARequestWasDue) {
  // With one connection, answers of 20 ms and 100 requests a second, later requests wait for the
  // connection. That wait must count.
  testing::scripted_model(folder_.path(), 20);
  testing::Process slow({testing::infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model",
                         folder_ / "scripted", "--drain-delay-ms", "1"});
  const std::string listening = slow.line();
  ASSERT_NE(slow.line().find("ready"), std::string::npos);
  const auto run =
      run_infer({"load", "--host", "http://127.0.0.1:" + number(listening, "\"port\":") + "/embed", "--body",
                 "@" + testing::golden("jpeg").encoded, "--content-type", "image/jpeg", "--qps", "100",
                 "--seconds", "0.5", "--connections", "1", "--json"});
  const double longest = std::stod(number(run.output, "\"max\":"));
  EXPECT_GT(longest, 100) << run.output;
  EXPECT_NE(run.output.find("not sent: every connection was busy"), std::string::npos) << run.output;
}

TEST_F(Remote, LoadWritesWhatItSentInAFormThatItReplays) {
  ASSERT_EQ(run_infer({"wait", "http://127.0.0.1:" + probe_port_ + "/readyz"}).code, 0);
  const std::string csv = folder_ / "load.csv";
  const std::string picture = folder_ / "load.svg";
  const auto run = run_infer({"load", "--host", url("/health"), "--qps", "10", "--ramp-to", "50", "--seconds",
                              "1", "--poisson", "--csv", csv, "--plot", picture});
  EXPECT_NE(run.code, 2) << run.output;
  const auto lines = [](const std::string& file) {
    std::ifstream in(file);
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) ++count;
    return count;
  };
  EXPECT_GT(lines(csv), 10);
  EXPECT_GT(lines(picture), 3);
  const auto replayed = run_infer({"load", "--host", url("/health"), "--trace", csv});
  EXPECT_EQ(requests(replayed.output), lines(csv) - 1) << replayed.output;
  EXPECT_EQ(run_infer({"load", "--host", url("/health"), "--trace", csv, "--qps", "5"}).code, 2);
  EXPECT_EQ(run_infer({"load", "--host", url("/health"), "--csv", folder_ / "no/such/folder.csv"}).code, 1);
}

/// A server that sends `first` to each client and then `again` forever, after `pause` each time.
class EndlessServer {
 public:
  EndlessServer(std::string first, std::string again, std::chrono::milliseconds pause)
      : first_(std::move(first)), again_(std::move(again)), pause_(pause) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        clients_.emplace_back([this, client](const std::stop_token& over) {
          bool there = ::send(client, first_.data(), first_.size(), MSG_NOSIGNAL) > 0;
          while (there && !over.stop_requested()) {
            std::this_thread::sleep_for(pause_);  // sets the pace of the server, not an order of events
            there = ::send(client, again_.data(), again_.size(), MSG_NOSIGNAL) > 0;
          }
          close(client);
        });
      }
    });
  }
  ~EndlessServer() {
    thread_.request_stop();
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    clients_.clear();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + port_ + "/"; }

 private:
  const std::string first_;
  const std::string again_;
  const std::chrono::milliseconds pause_;
  int listener_ = -1;
  std::string port_;
  std::vector<std::jthread> clients_;
  std::jthread thread_;
};

TEST(RemoteCommands, AServerThatNeverEndsItsAnswerDoesNotHoldThemUp) {
  // Each command must end by itself. Before a fix, they did not, and the test timed out.
  const std::string start = "HTTP/1.1 200 OK\r\n";
  const std::string page(16384, 'x');
  const std::chrono::milliseconds slow(20);
  for (const auto& [what, first, again, pause] :
       std::vector<std::tuple<std::string, std::string, std::string, std::chrono::milliseconds>>{
           {"a byte of a header at a time", start + "X-Long: ", "x", slow},
           {"headers without end", start, "X-More: 1\r\n", slow},
           {"headers without end, fast", start, "X-More: 1\r\n", {}},
           {"a status line without end", "HTTP/1.1 200 ", "O", slow},
           {"continue for ever", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", slow},
           {"a byte of the body at a time", start + "Content-Length: 100000\r\n\r\n", "x", slow},
           {"a body without length or end", start + "\r\n", page, {}},
           {"chunks without end",
            start + "Transfer-Encoding: chunked\r\n\r\n",
            "4000\r\n" + page + "\r\n",
            {}},
           {"chunks of a byte", start + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", slow}}) {
    const EndlessServer server(first, again, pause);
    const auto begin = std::chrono::steady_clock::now();
    const auto got = run_infer({"get", server.url(), "--timeout", "0.3"});
    EXPECT_EQ(got.code, 1) << what;
    // A busy machine may take seconds to start a process. At this pace, a whole answer would take half an
    // hour.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << what;
    EXPECT_TRUE(got.output.find("the answer was not complete in time") != std::string::npos ||
                got.output.find("longer than 256 MiB") != std::string::npos ||
                got.output.find("Failed to read") != std::string::npos)
        << what << ": " << got.output.substr(0, 200);
    EXPECT_EQ(run_infer({"wait", server.url(), "--timeout", "0.3"}).code, 1) << what;
    const auto load =
        run_infer({"load", "--host", server.url(), "--qps", "10", "--seconds", "0.2", "--timeout", "0.3"});
    EXPECT_EQ(load.code, 1) << what;
    EXPECT_NE(load.output.find("OK=0 FAIL=2"), std::string::npos) << what << ": " << load.output;
  }
}

TEST(RemoteCommands, AServerThatReadsNothingDoesNotHoldThemUp) {
  const EndlessServer server("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
                             std::chrono::milliseconds(20));
  const testing::Folder folder;
  std::ofstream(folder / "body") << std::string(std::size_t{64} << 20,
                                                'x');  // more than the kernel buffers
  const auto load = run_infer({"load", "--host", server.url(), "--body", "@" + (folder / "body"), "--qps",
                               "10", "--seconds", "0.2", "--timeout", "0.3"});
  EXPECT_EQ(load.code, 1);
  EXPECT_NE(load.output.find("OK=0 FAIL=2"), std::string::npos) << load.output;
  EXPECT_NE(load.output.find("the answer was not complete in time"), std::string::npos) << load.output;
}

TEST(RemoteCommands, AnAnswerIsPrintedAsItIsButDoesNotSteerATerminal) {
  const std::string body = "a\tb\n\x1b[31m\xc2\x9b\xe2\x80\xae\xff\n";
  const EndlessServer server(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, "x",
      std::chrono::milliseconds(20));
  EXPECT_EQ(run_infer({"get", server.url()}).output, body);
  testing::Process terminal(
      {"/usr/bin/script", "-qec", testing::infer_binary() + " get " + server.url(), "/dev/null"});
  const std::string shown = terminal.rest();
  EXPECT_NE(shown.find("\\x1b[31m\\xc2\\x9b\\xe2\\x80\\xae\\xff"), std::string::npos) << shown;
  EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
  EXPECT_EQ(terminal.wait(), 0);
}

TEST(RemoteCommands, SayWhatIsWrong) {
  const auto nobody = run_infer({"wait", "tcp://127.0.0.1:1", "--timeout", "0.3"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_NE(nobody.output.find("Connection refused"), std::string::npos) << nobody.output;
  EXPECT_EQ(run_infer({"wait", "tcp://nowhere", "--timeout", "0"}).code, 1);
  EXPECT_EQ(run_infer({"wait", "ftp://x"}).code, 2);
  EXPECT_EQ(run_infer({"get", "https://127.0.0.1/"}).code, 2);
  const auto load = run_infer({"load", "--host", "http://127.0.0.1:1/", "--qps", "10", "--seconds", "0.2"});
  EXPECT_EQ(load.code, 1);
  EXPECT_NE(load.output.find("OK=0 FAIL=2"), std::string::npos) << load.output;
  EXPECT_NE(load.output.find("2 x Connection refused"), std::string::npos) << load.output;
}

TEST(Url, IsTakenApart) {
  const auto url = http::Url::parse("http://[::1]:8080/a?b=c#d").value();
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.target, "/a?b=c");
  EXPECT_EQ(http::Url::parse("http://host").value().target, "/");
  EXPECT_EQ(http::Url::parse("http://host?x").value().target, "/?x");
  for (const char* bad :
       {"", "host:80", "http://", "http://:80", "http://h:0", "http://h:65536", "http://h:8x"}) {
    EXPECT_FALSE(http::Url::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace infer
