#pragma once

#include <sys/types.h>

#include <string>

#include "infer/core/result.h"

namespace infer::http {

/// The file of a Unix socket to which only its owner may connect.
class SocketFile {
 public:
  /// Returns a socket that listens at `path`, which the caller must close. Replaces a socket without a
  /// listening process. Errors: `kFailedPrecondition`, with the reason.
  Result<int> listen(const std::string& path, int backlog);
  /// Removes the file unless another file has replaced it.
  void remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace infer::http
