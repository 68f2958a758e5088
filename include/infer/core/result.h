#pragma once

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include "infer/core/error.h"

namespace infer::inline v0 {

/// Thrown by `Result::value()` on an error; nothing else in the public API throws.
class BadResult : public std::exception {
 public:
  explicit BadResult(Error error) : error_(std::move(error)) {}
  const char* what() const noexcept override { return error_.message.c_str(); }
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// Carries an error into a `Result`, as `std::unexpected<Error>` does.
class Unexpected {
 public:
  explicit Unexpected(Error error) noexcept : error_(std::move(error)) {}
  Error& error() & noexcept { return error_; }
  const Error& error() const& noexcept { return error_; }
  Error&& error() && noexcept { return std::move(error_); }

 private:
  Error error_;
};

/// Shorthand for `return Unexpected(Error{...})`.
inline Unexpected fail(ErrorCode code, std::string message, ErrorDetail detail = ErrorDetail::kNone) {
  return Unexpected(Error{code, std::move(message), detail});
}

/// A value or an `Error`: a strict subset of `std::expected<T, Error>`.
///
/// `operator*`, `operator->` and `error()` require the matching state; `value()` throws `BadResult` instead.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Error;

  template <class U = T>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Unexpected> && std::is_constructible_v<T, U>)
  // NOLINTNEXTLINE(google-explicit-constructor): a value converts to its result, as in std::expected
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Unexpected unexpected) noexcept : state_(std::in_place_index<1>, std::move(unexpected).error()) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  T& value() & {
    require();
    return **this;
  }
  const T& value() const& {
    require();
    return **this;
  }
  T&& value() && {
    require();
    return std::move(**this);
  }
  template <class U>
  T value_or(U&& fallback) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
  }

  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  void require() const {
    if (!has_value()) throw BadResult(error());
  }

  std::variant<T, Error> state_;
};

/// Success without a value, or an `Error`.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = Error;

  Result() noexcept : ok_(true) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Unexpected unexpected) noexcept : ok_(false), error_(std::move(unexpected).error()) {}

  bool has_value() const noexcept { return ok_; }
  explicit operator bool() const noexcept { return ok_; }
  void operator*() const noexcept {}
  void value() const {
    if (!ok_) throw BadResult(error_);
  }
  Error& error() & noexcept { return error_; }
  const Error& error() const& noexcept { return error_; }
  Error&& error() && noexcept { return std::move(error_); }

 private:
  bool ok_;
  Error error_;
};

}  // namespace infer::inline v0
