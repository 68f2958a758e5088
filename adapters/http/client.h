#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "infer/core/result.h"

namespace infer::http {

/// "http://host:port/path?query", taken apart.
struct Url {
  std::string host;  ///< Or the path of a Unix socket, from "/" on, where it was not parsed.
  int port = 80;
  std::string target = "/";  ///< Path and query.

  /// Errors: `kInvalidArgument`; https is not spoken.
  static Result<Url> parse(const std::string& text);
};

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

/// One keep-alive connection to a server, for the command's own use; blocking, not thread-safe.
class Client {
 public:
  /// `timeout` bounds all of a request: its name, connecting, and the last byte of the answer.
  Client(const Url& url, std::chrono::milliseconds timeout);
  ~Client();
  Client(Client&&) noexcept;

  /// Errors: `kUnavailable` where no answer came.
  Result<ClientResponse> send(const ClientRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Connects to host:port and closes again. Errors: `kUnavailable`, with the reason.
Result<void> try_connect(const std::string& host, int port, std::chrono::milliseconds timeout);

}  // namespace infer::http
