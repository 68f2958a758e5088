#include "operations/log_line.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace infer::http {

std::string timestamp() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms % 1000));
  return std::string(text.data(), length) + fraction.data();
}

std::string event_line(const ServingEvent& event) {
  return event_line(event.name, [&](JsonWriter& json) {
    for (const auto& [name, value] : event.fields) json.key(name).value(value);
  });
}

}  // namespace infer::http
