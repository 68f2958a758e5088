#pragma once

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include "infer/core/error.h"

namespace infer::inline v0 {

/// The exception that `Result::value()` throws on an error; nothing else in the public API throws by design.
class BadResult : public std::exception {
 public:
  /// Takes over the error of a result.
  explicit BadResult(Error error) : error_(std::move(error)) {}
  /// Returns the message of the error; the text lives as long as the exception.
  const char* what() const noexcept override { return error_.message.c_str(); }
  /// Returns the error; the reference lives as long as the exception.
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// Carries an error into a `Result`, as `std::unexpected<Error>` does.
class Unexpected {
 public:
  /// Takes over `error`.
  explicit Unexpected(Error error) noexcept : error_(std::move(error)) {}
  /// Returns the error for changing it.
  Error& error() & noexcept { return error_; }
  /// Returns the error for reading it.
  const Error& error() const& noexcept { return error_; }
  /// Returns the error for moving it out.
  Error&& error() && noexcept { return std::move(error_); }

 private:
  Error error_;
};

/// Makes an error to return: `return fail(ErrorCode::kNotFound, "...")`.
inline Unexpected fail(ErrorCode code, std::string message, ErrorDetail detail = ErrorDetail::kNone) {
  return Unexpected(Error{code, std::move(message), detail});
}

/// A value or an `Error`: a strict subset of `std::expected<T, Error>`.
///
/// Check with `if (result)` or `has_value()`. `operator*`, `operator->` and `error()` require the matching
/// state and do not check it; `value()` checks and throws `BadResult`. A result owns its value; one result
/// belongs to one thread at a time.
template <class T>
class [[nodiscard]] Result {
 public:
  /// The type of the value.
  using value_type = T;
  /// The type of the error.
  using error_type = Error;

  /// Holds a value made from `value`; implicit, so that a function can `return value;`.
  template <class U = T>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Unexpected> && std::is_constructible_v<T, U>)
  // NOLINTNEXTLINE(google-explicit-constructor): a value converts to its result, as in std::expected
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  /// Holds the error of `unexpected`; implicit, so that a function can `return Unexpected(error);`.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Unexpected unexpected) noexcept : state_(std::in_place_index<1>, std::move(unexpected).error()) {}

  /// Returns true if the result holds a value.
  bool has_value() const noexcept { return state_.index() == 0; }
  /// Returns true if the result holds a value.
  explicit operator bool() const noexcept { return has_value(); }

  /// Returns the value; the result must hold one.
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  /// Returns the value for reading; the result must hold one.
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  /// Returns the value for moving it out; the result must hold one.
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  /// Gives access to a member of the value; the result must hold one.
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  /// Gives read access to a member of the value; the result must hold one.
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// Returns the value, or throws `BadResult` with the error.
  T& value() & {
    require();
    return **this;
  }
  /// Returns the value for reading, or throws `BadResult` with the error.
  const T& value() const& {
    require();
    return **this;
  }
  /// Returns the value for moving it out, or throws `BadResult` with the error.
  T&& value() && {
    require();
    return std::move(**this);
  }
  /// Returns a copy of the value, or `fallback` converted to `T` on an error.
  template <class U>
  T value_or(U&& fallback) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
  }

  /// Returns the error for changing it; the result must hold one.
  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  /// Returns the error for reading it; the result must hold one.
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  /// Returns the error for moving it out; the result must hold one.
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  void require() const {
    if (!has_value()) throw BadResult(error());
  }

  std::variant<T, Error> state_;
};

/// Success without a value, or an `Error`.
///
/// `error()` requires an error and does not check for it; `value()` throws `BadResult` on an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  /// A `Result<void>` has no value.
  using value_type = void;
  /// The type of the error.
  using error_type = Error;

  /// Reports success.
  Result() noexcept : ok_(true) {}
  /// Holds the error of `unexpected`; implicit, so that a function can `return Unexpected(error);`.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Unexpected unexpected) noexcept : ok_(false), error_(std::move(unexpected).error()) {}

  /// Returns true on success.
  bool has_value() const noexcept { return ok_; }
  /// Returns true on success.
  explicit operator bool() const noexcept { return ok_; }
  /// Does nothing; exists so that templates treat `Result<void>` as any other result.
  void operator*() const noexcept {}
  /// Throws `BadResult` on an error; does nothing on success.
  void value() const {
    if (!ok_) throw BadResult(error_);
  }
  /// Returns the error for changing it; the result must hold one.
  Error& error() & noexcept { return error_; }
  /// Returns the error for reading it; the result must hold one.
  const Error& error() const& noexcept { return error_; }
  /// Returns the error for moving it out; the result must hold one.
  Error&& error() && noexcept { return std::move(error_); }

 private:
  bool ok_;
  Error error_;
};

}  // namespace infer::inline v0
