#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infer/core/log.h"

namespace infer::inline v0 {

/// Something that happened to the served models, for the host's log.
struct ServingEvent {
  LogLevel level;         ///< Severity of the event.
  std::string_view name;  ///< A stable short name, such as "swapped".
  /// What the event is about, by stable short names such as "model" and "error".
  std::vector<std::pair<std::string_view, std::string>> fields;
};

/// The function that receives the events; the library itself prints nothing.
///
/// Any thread may call the sink, also several at a time. The sink must neither throw nor block.
using EventSink = std::function<void(const ServingEvent& event)>;

}  // namespace infer::inline v0
