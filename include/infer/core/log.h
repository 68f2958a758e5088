#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace infer::inline v0 {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// Receives what the library has to say: it prints nothing itself. Called from any thread, must not throw or
/// block.
using LogHook = std::function<void(LogLevel level, std::string_view event, std::string_view message)>;

}  // namespace infer::inline v0
