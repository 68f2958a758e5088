#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/json_writer.h"
#include "infer/core/log.h"
#include "infer/serving/event.h"

namespace infer::http {

/// Receives one line of JSON. Called from many threads.
using LogLine = std::function<void(LogLevel level, const std::string& json)>;

/// Now, as RFC 3339 in UTC with milliseconds.
std::string timestamp();

/// A line that starts with the event's name and the time; `fill` adds the rest.
template <class Fill>
std::string event_line(std::string_view name, Fill fill) {
  JsonWriter json;
  json.begin_object().key("event").value(name).key("timestamp").value(timestamp());
  fill(json);
  json.end_object();
  return std::move(json).text();
}

/// The line for what happened to the served models.
std::string event_line(const ServingEvent& event);

}  // namespace infer::http
