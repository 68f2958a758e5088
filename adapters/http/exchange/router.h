#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/exchange.h"

namespace infer::http {

/// One row of the route table, from which /openapi.json is also made.
struct Route {
  std::string method;
  std::string path;  ///< "/v2/models/{model}/infer": a name in braces matches one segment.
  std::string summary;
  std::function<void(Exchange&)> handle;
  bool work = false;        ///< Needs a model: refused while draining, cancelled on a hang-up, logged.
  bool on_probe = false;    ///< Also served on the probe listener.
  bool probe_only = false;  ///< Only on the probe listener or admin socket: an operation on the server.
  std::vector<std::pair<std::string, std::string>> request =
      {};  ///< Media type and JSON schema of each kind of body.
  std::string response_type = "application/json";
  std::string response = {};   ///< JSON schema of the answer; empty: any.
  bool open = false;           ///< Needs no API key.
  bool changes_state = false;  ///< Refused to pages of other sites, whatever address the server listens on.
  std::function<bool(const Exchange&)> quick = {};  ///< See `RequestHandler::is_quick`; empty: never quick.
};

class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const noexcept { return routes_; }

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> parameters;  ///< Values of the names in braces.
    std::string allowed;                  ///< Methods of the path, if only the method does not match.
  };
  Match find(std::string_view method, std::string_view path, bool probe) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace infer::http
