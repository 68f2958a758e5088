#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchange/exchange.h"

namespace infer::http {

/// One row of the route table: what is served, and what /openapi.json says of it.
struct Route {
  std::string method;
  std::string path;  ///< "/v2/models/{model}/infer": a name in braces stands for one segment.
  std::string summary;
  std::function<void(Exchange&)> handle;
  bool work = false;        ///< Needs a model: refused while draining, watched for hang-ups, logged.
  bool on_probe = false;    ///< Also on the probe listener.
  bool probe_only = false;  ///< Only there, or on the admin socket: an operation on the server itself.
  std::vector<std::pair<std::string, std::string>> request =
      {};  ///< Media type and JSON schema of each kind of body.
  std::string response_type = "application/json";
  std::string response = {};   ///< JSON schema of the answer; empty: any.
  bool open = false;           ///< Needs no API key.
  bool changes_state = false;  ///< Refused to pages of other sites wherever the server listens.
  std::function<bool(const Exchange&)> quick = {};  ///< See `RequestHandler::is_quick`; empty: never.
};

/// Finds routes by path and method.
class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const noexcept { return routes_; }

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> parameters;  ///< What stands at the names in braces.
    std::string allowed;  ///< Methods of the path, where the path is known and the method is not.
  };
  Match find(std::string_view method, std::string_view path, bool probe) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace infer::http
