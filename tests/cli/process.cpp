#include "cli/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace infer::inline v0::testing {

Process::Process(const std::vector<std::string>& arguments,
                 const std::vector<std::pair<std::string, std::string>>& variables) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = ends[0];
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
}

std::string Process::line() {
  while (true) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string out = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return out;
    }
    char chunk[1024];
    const ssize_t count = read(output_, chunk, sizeof chunk);
    if (count <= 0) return std::exchange(buffer_, {});
    buffer_.append(chunk, static_cast<std::size_t>(count));
  }
}

void Process::signal(int number) const { kill(pid_, number); }

bool Process::reaches(const std::function<bool()>& condition) const {
  while (true) {
    siginfo_t ended{};
    waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (condition()) return true;
    if (ended.si_pid != 0) return false;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(1));  // pause between checks, to leave the core to others
  }
}

int Process::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Process::rest() {
  std::string out = std::exchange(buffer_, {});
  char chunk[1024];
  for (ssize_t count = read(output_, chunk, sizeof chunk); count > 0;
       count = read(output_, chunk, sizeof chunk)) {
    out.append(chunk, static_cast<std::size_t>(count));
  }
  return out;
}

std::string infer_binary() { return INFER_BINARY; }

Finished run_infer(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), infer_binary());
  Process process(arguments);
  std::string output = process.rest();
  return {process.wait(), std::move(output)};
}

}  // namespace infer::inline v0::testing
