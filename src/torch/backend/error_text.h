#pragma once

#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>

namespace infer::inline v0 {

/// The first line that says something.
inline std::string first_line(std::string_view text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \n")));
  return std::string(text.substr(0, text.find('\n')));
}

/// Returns the cause in one line, without C++ backtraces and TorchScript tracebacks, which clients must not
/// see.
inline std::string short_text(const std::exception& e) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&e);
  const std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : e.what();
  // The interpreter puts the cause after its traceback, as "builtins.ValueError: ..." or "RuntimeError: ...".
  if (const std::size_t traceback = text.find("Traceback of TorchScript"); traceback != std::string::npos) {
    const std::size_t cause = text.rfind("Error: ");
    if (cause != std::string::npos && cause > traceback)
      return first_line(std::string_view(text).substr(cause + 7));
  }
  return first_line(text);
}

/// Returns true if memory ran out: LibTorch's CPU allocator then throws an ordinary error, which only its
/// text identifies.
inline bool is_allocation_failure(std::string_view text) {
  return text.find("DefaultCPUAllocator: can't allocate memory") != std::string_view::npos ||
         text.find("DefaultCPUAllocator: not enough memory") != std::string_view::npos;
}

}  // namespace infer::inline v0
