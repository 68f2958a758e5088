#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

namespace infer::http {

/// Says once for each change of a file that it has changed, its loss among them; the first look is one.
class FileWatch {
 public:
  explicit FileWatch(std::filesystem::path file) : file_(std::move(file)) {}

  const std::filesystem::path& file() const noexcept { return file_; }

  bool changed() {
    std::error_code error;
    const auto now = std::filesystem::last_write_time(file_, error);
    return std::exchange(seen_, now) != now;
  }

 private:
  std::filesystem::path file_;
  std::filesystem::file_time_type seen_{};  // of no file: one that is missing has the least time there is
};

}  // namespace infer::http
