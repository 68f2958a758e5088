#include "exchange/router.h"

#include <algorithm>

namespace infer::http {

namespace {

/// Whether `path` matches `pattern`. Fills `parameters` with the values of the names in braces.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& parameters) {
  parameters.clear();
  while (true) {
    const std::size_t brace = pattern.find('{');
    if (brace == std::string_view::npos) return pattern == path;
    if (path.substr(0, brace) != pattern.substr(0, brace)) return false;
    path.remove_prefix(brace);
    pattern.remove_prefix(pattern.find('}') + 1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end == 0) return false;
    parameters.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
}

}  // namespace

Router::Match Router::find(std::string_view method, std::string_view path, bool probe) const {
  Match match;
  // HEAD is a GET whose body the session does not send.
  if (method == "HEAD") method = "GET";
  for (const Route& route : routes_) {
    if (probe ? !(route.on_probe || route.probe_only) : route.probe_only) continue;
    if (!fits(route.path, path, match.parameters)) continue;
    if (route.method == method) {
      match.route = &route;
      return match;
    }
    match.allowed += (match.allowed.empty() ? "" : ", ") + route.method;
  }
  match.parameters.clear();
  return match;
}

}  // namespace infer::http
