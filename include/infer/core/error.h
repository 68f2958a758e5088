#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace infer::inline v0 {

/// Why a call failed.
///
/// docs/errors.md maps each code to an HTTP status and says when to retry.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  ///< The input can never succeed: correct it.
  kNotFound,         ///< The model, version, route or file does not exist.
  /// The call is valid, but the machine or the object is in a wrong state (such as a missing device).
  kFailedPrecondition,
  kOverloaded,        ///< A bound on queue, bytes, wait or requests in flight is reached: retry later.
  kDeadlineExceeded,  ///< The deadline passed before execution started.
  kCancelled,         ///< The caller asked to stop before execution started.
  kUnavailable,       ///< The model is loading or draining: retry on another server.
  kUnimplemented,     ///< This build or this backend does not support the operation.
  kModelError,        ///< The model threw, or returned something unexpected, for this sample.
  kOutOfMemory,       ///< An allocation failed: retry with a smaller input.
  kInternal,          ///< A bug in the library: please report it.
};

/// Divides an `ErrorCode` for adapters that answer with different statuses within one code.
enum class ErrorDetail : std::uint8_t {
  kNone,             ///< The code says everything.
  kTooLarge,         ///< The input exceeds a configured limit (HTTP 413).
  kUnsupportedType,  ///< The library does not read inputs of this type (HTTP 415).
};

/// Returns the stable CamelCase name of a code, such as "InvalidArgument".
///
/// JSON bodies, logs and metric labels use this spelling. The text is static; the function never fails.
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

/// A failure: its kind and a message for people.
struct Error {
  ErrorCode code = ErrorCode::kInternal;    ///< The kind of failure.
  std::string message;                      ///< Names the field, its value and the limit; UTF-8, one line.
  ErrorDetail detail = ErrorDetail::kNone;  ///< Narrows `code`; `kNone` for most errors.
};

/// Returns the error for a failed allocation.
///
/// The message fits the small-string buffer of `std::string`, so the function allocates nothing.
inline Error out_of_memory() noexcept { return {ErrorCode::kOutOfMemory, "out of memory", {}}; }

}  // namespace infer::inline v0
