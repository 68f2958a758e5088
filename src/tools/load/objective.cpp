#include "infer/tools/objective.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace infer::inline v0::tools {

Result<Objective> Objective::parse(const std::string& text) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalidArgument,
                "'" + text + "' is not an objective such as p95=200ms or p99=1.5s");
  };
  const std::string_view view(text);
  const std::size_t equals = view.find('=');
  if (!view.starts_with('p') || equals == std::string_view::npos) return bad();
  const auto number = [](std::string_view part, double& value) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc{} && end == part.data() + part.size() && std::isfinite(value) && value > 0;
  };
  std::string_view time = view.substr(equals + 1);
  const double unit = time.ends_with("ms") ? 1e-3 : 1;
  if (!time.ends_with('s')) return bad();
  time.remove_suffix(time.ends_with("ms") ? 2 : 1);
  Objective objective;
  if (!number(view.substr(1, equals - 1), objective.fraction) || objective.fraction >= 100) return bad();
  if (!number(time, objective.seconds)) return bad();
  objective.fraction /= 100;
  objective.seconds *= unit;
  return objective;
}

}  // namespace infer::inline v0::tools
