#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/json_writer.h"
#include "infer/core/log.h"
#include "infer/serving/event.h"

namespace infer::http {

/// Takes one line of JSON. Called from many threads.
using LogLine = std::function<void(LogLevel level, const std::string& json)>;

/// Returns the current time in RFC 3339 format, in UTC with milliseconds.
std::string timestamp();

/// Returns a line that starts with the event's name and the time. `fill` adds the rest.
template <class Fill>
std::string event_line(std::string_view name, Fill fill) {
  JsonWriter json;
  json.begin_object().key("event").value(name).key("timestamp").value(timestamp());
  fill(json);
  json.end_object();
  return std::move(json).text();
}

/// Returns the log line of an event of the served models.
std::string event_line(const ServingEvent& event);

}  // namespace infer::http
