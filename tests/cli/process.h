#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace infer::inline v0::testing {

/// A child process with its standard output and error in one pipe. The destructor kills it.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments,
                   const std::vector<std::pair<std::string, std::string>>& variables = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Blocks for the next line of output. Returns an empty text at the end.
  std::string line();
  void signal(int number) const;
  /// Blocks until `condition` holds or the process has ended. Returns whether `condition` holds.
  bool reaches(const std::function<bool()>& condition) const;
  /// Blocks until the process has ended. Returns the exit code, or 128 + the signal.
  int wait();
  /// Blocks until the process closes its output. Returns the rest of the output.
  std::string rest();

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string buffer_;
};

struct Finished {
  int code;
  std::string output;
};

/// Runs the infer command under test until it ends.
Finished run_infer(std::vector<std::string> arguments);
/// Path of the infer command under test.
std::string infer_binary();

}  // namespace infer::inline v0::testing
