#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connect.h"
#include "infer/core/result.h"

namespace infer::http {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string body;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

struct ClientResponse {
  int status = 0;
  std::string body;
};

/// One keep-alive connection to a server, for the command's own requests. Blocking, not thread-safe.
class Client {
 public:
  /// `timeout` limits the whole request: name resolution, connecting, and receiving the answer.
  Client(const Url& url, std::chrono::milliseconds timeout);
  ~Client();
  Client(Client&&) noexcept;

  /// Errors: `kUnavailable` if no answer came.
  Result<ClientResponse> send(const ClientRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace infer::http
