#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace infer::inline v0 {

/// The severity of a log event, ascending.
enum class LogLevel : std::uint8_t {
  kDebug,    ///< Details for developers.
  kInfo,     ///< Normal events.
  kWarning,  ///< Something is wrong, and the library works on.
  kError     ///< Something failed.
};

/// The function that receives the library's log events; the library itself prints nothing.
///
/// `event` is a stable short name and `message` is a sentence for people; both views are valid during the
/// call only. Any thread may call the hook, also several at a time. The hook must neither throw nor block.
using LogHook = std::function<void(LogLevel level, std::string_view event, std::string_view message)>;

}  // namespace infer::inline v0
