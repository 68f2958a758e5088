#pragma once

#include <sys/types.h>

#include <string>

#include "infer/core/result.h"

namespace infer::http {

/// The file of a Unix socket. Only its owner may connect.
class SocketFile {
 public:
  /// A listening socket at `path`, the caller's to close. Replaces a socket that no process listens on any
  /// more. Errors: `kFailedPrecondition`, with the reason.
  Result<int> listen(const std::string& path, int backlog);
  /// Removes the file unless another has taken its place.
  void remove();

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace infer::http
