#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "exchange/router.h"
#include "operations/log_writer.h"
#include "operations/request_log.h"

namespace infer::http {
namespace {

struct Pipe {
  Pipe() {
    ::signal(SIGPIPE, SIG_IGN);  // as in the server: a thread may still write when a test ends
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::string read() const {
    std::string text(1 << 16, '\0');
    const ssize_t count = ::read(ends[0], text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }
  int ends[2] = {-1, -1};
};

TEST(LogWriter, LinesComeInTheirOrderAndNoneIsLostAtTheEnd) {
  Pipe pipe;
  {
    LogWriter log(pipe.ends[1], LogLevel::kInfo);
    for (int i = 0; i < 100; ++i) log.write(LogLevel::kInfo, std::to_string(i));
  }
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(pipe.read(), expected);
}

TEST(LogWriter, TheLevelChangesWhileItRuns) {
  Pipe pipe;
  {
    LogWriter log(pipe.ends[1], LogLevel::kWarning);
    log.write(LogLevel::kInfo, "no");
    log.set_level(LogLevel::kDebug);
    log.write(LogLevel::kDebug, "yes");
  }
  EXPECT_EQ(pipe.read(), "yes\n");
}

TEST(LogWriter, AReaderThatStandsStillHoldsNobodyUp) {
  Pipe pipe;
  const std::string line(1000, 'x');
  std::thread late_reader;
  {
    LogWriter log(pipe.ends[1], LogLevel::kInfo, 100'000);
    for (int i = 0; i < 1000; ++i)
      log.write(LogLevel::kInfo, line);  // more than the pipe and the buffer hold
    EXPECT_GT(log.dropped(), 0U);
    EXPECT_LT(log.dropped(), 1000U);
    late_reader = std::thread([&pipe] {
      while (!pipe.read().empty()) {
      }
    });
  }
  ::close(std::exchange(pipe.ends[1], -1));
  late_reader.join();
}

TEST(LogWriter, AFullDiskLosesLinesAndCountsThem) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  LogWriter log(full, LogLevel::kInfo);
  log.write(LogLevel::kError, "one");
  log.write(LogLevel::kError, "two");
  while (log.dropped() < 2) ::usleep(1000);
  ::close(full);
}

TEST(LogSampler, LetsSoManyASecondThroughAndCountsTheRest) {
  LogSampler sampler(3);
  const TimePoint start = TimePoint() + std::chrono::seconds(100);
  int admitted = 0;
  for (int i = 0; i < 10; ++i)
    admitted += static_cast<int>(sampler.admit(start + std::chrono::milliseconds(i)));
  EXPECT_EQ(admitted, 3);
  EXPECT_EQ(sampler.left_out(), 7U);
  EXPECT_TRUE(sampler.admit(start + std::chrono::seconds(1)));
  LogSampler all(0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(all.admit(start));
}

struct LoggedRequests {
  explicit LoggedRequests(std::uint64_t per_second)
      : log([this](LogLevel, const std::string& json) { lines.push_back(json); }, metrics, per_second) {
    route.method = "POST";
    route.path = "/embed";
    route.work = true;
  }
  void answer(int status, int times) {
    for (int i = 0; i < times; ++i) {
      Exchange exchange;
      exchange.request.route = &route;
      exchange.answer.status = status;
      exchange.call.start = std::chrono::steady_clock::now();
      log.finished(exchange);
    }
  }
  int count(const std::string& text) const {
    int found = 0;
    for (const auto& line : lines) found += static_cast<int>(line.find(text) != std::string::npos);
    return found;
  }
  std::vector<std::string> lines;
  MetricsRegistry metrics;
  Route route;
  RequestLog log;
};

TEST(RequestLog, AFloodOfFailuresIsSampledCountedAndToldOf) {
  LoggedRequests requests(5);
  requests.answer(400, 2000);
  requests.answer(500, 1000);
  requests.answer(200, 500);
  requests.log.report_left_out();
  // The flood may cross a few seconds, each with its own limit.
  EXPECT_LE(requests.count("\"status\":400"), 50);
  EXPECT_GE(requests.count("\"status\":400"), 5);
  EXPECT_GE(requests.count("\"status\":500"), 5) << "refusals do not use up the limit of failures";
  EXPECT_GE(requests.count("\"status\":200"), 5);
  const std::string metrics = requests.metrics.render();
  for (const char* counted : {"status=\"400\"} 2000", "status=\"500\"} 1000", "status=\"200\"} 500"})
    EXPECT_NE(metrics.find(counted), std::string::npos) << metrics;
  std::uint64_t told = 0;
  for (const auto& line : requests.lines) {
    if (line.find("log_lines_left_out") == std::string::npos) continue;
    for (const char* kind : {"\"succeeded\":", "\"refused\":", "\"failed\":"}) {
      const std::size_t at = line.find(kind);
      ASSERT_NE(at, std::string::npos) << line;
      told += std::stoull(line.substr(at + std::string(kind).size()));
    }
  }
  EXPECT_EQ(told + static_cast<std::uint64_t>(requests.count("\"status\"")), 3500U);
  const std::size_t lines = requests.lines.size();
  requests.log.report_left_out();
  EXPECT_EQ(requests.lines.size(), lines) << "nothing new to report";
}

}  // namespace
}  // namespace infer::http
