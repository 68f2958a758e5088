#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace infer::inline v0 {

/// Why a call failed; docs/errors.md maps each code to an HTTP status and to advice on retrying.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,     ///< The input can never succeed: fix it.
  kNotFound,            ///< No such model, version, route or file.
  kFailedPrecondition,  ///< The call is fine, the state of the machine or object is not (missing device).
  kOverloaded,          ///< A bound on queue, bytes or in-flight requests is reached: retry later.
  kDeadlineExceeded,    ///< The deadline passed before execution started.
  kCancelled,           ///< The caller asked to stop before execution started.
  kUnavailable,         ///< Loading or draining: retry elsewhere.
  kUnimplemented,       ///< Understood, but not supported by this build or backend.
  kModelError,          ///< The model threw, or returned something unexpected, for this sample.
  kOutOfMemory,         ///< An allocation failed: retry with something smaller.
  kInternal,            ///< A broken invariant of the library: please report it.
};

/// Narrows an `ErrorCode` where an adapter answers differently within one code.
enum class ErrorDetail : std::uint8_t {
  kNone,
  kTooLarge,         ///< The input exceeds a configured limit (HTTP 413).
  kUnsupportedType,  ///< The input is of a kind that is not read (HTTP 415).
};

/// Stable CamelCase name of a code, the spelling used in JSON bodies, logs and metric labels.
constexpr std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kFailedPrecondition:
      return "FailedPrecondition";
    case ErrorCode::kOverloaded:
      return "Overloaded";
    case ErrorCode::kDeadlineExceeded:
      return "DeadlineExceeded";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kUnavailable:
      return "Unavailable";
    case ErrorCode::kUnimplemented:
      return "Unimplemented";
    case ErrorCode::kModelError:
      return "ModelError";
    case ErrorCode::kOutOfMemory:
      return "OutOfMemory";
    case ErrorCode::kInternal:
      return "Internal";
  }
  return "Internal";
}

/// A failure: what kind, and a message that names the field, the value and the limit.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  ErrorDetail detail = ErrorDetail::kNone;
};

/// The error for a failed allocation; its message fits the small-string buffer, so making it allocates
/// nothing.
inline Error out_of_memory() noexcept { return {ErrorCode::kOutOfMemory, "out of memory", {}}; }

}  // namespace infer::inline v0
