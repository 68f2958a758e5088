#include "infer/serving/file_watch.h"

#include <sys/stat.h>

#include <chrono>

namespace infer::inline v0 {
namespace {

/// Longer than the resolution of file times, which is a tick of the kernel (10 ms) or, on some file systems,
/// 2 s.
constexpr std::chrono::seconds kSettled{3};

}  // namespace

FileWatch::Look FileWatch::look() const {
  struct stat found {};
  if (::stat(file_.c_str(), &found) != 0) return {};
  const auto numbers = {static_cast<long long>(found.st_dev), static_cast<long long>(found.st_ino),
                        static_cast<long long>(found.st_size), static_cast<long long>(found.st_ctim.tv_sec),
                        static_cast<long long>(found.st_ctim.tv_nsec)};
  Look look{.identity = "", .settled = true};
  for (const long long number : numbers) *look.identity += std::to_string(number) + " ";
  const auto changed = std::chrono::system_clock::time_point(std::chrono::seconds(found.st_ctim.tv_sec));
  const auto age = std::chrono::system_clock::now() - changed;
  look.settled = age > kSettled || age < -kSettled;
  return look;
}

Result<void> FileWatch::follow(const std::function<Result<void>()>& read) {
  const Look now = look();  // before reading the file, so that the next call sees a change during the read
  if (now.identity && now.identity == read_) return {};
  auto done = read();
  if (done) {
    read_ = now.settled ? now.identity : std::nullopt;
    reported_.clear();
    return {};
  }
  read_.reset();
  std::string report = now.identity.value_or("") + done.error().message;
  if (report == reported_) return {};
  reported_ = std::move(report);
  return done;
}

}  // namespace infer::inline v0
