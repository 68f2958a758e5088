#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>

#include "log_sampler.h"
#include "log_writer.h"

namespace infer::http {
namespace {

struct Pipe {
  Pipe() {
    ::signal(SIGPIPE, SIG_IGN);  // as the server has it: a thread may still write when a test ends
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

}  // namespace
}  // namespace infer::http
