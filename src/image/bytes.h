#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "infer/core/result.h"

namespace infer::inline v0 {

using Bytes = std::span<const std::uint8_t>;

inline bool starts_with(Bytes bytes, std::string_view prefix) noexcept {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

inline std::string_view text_of(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Reads big-endian numbers; the bytes at `at` must lie within `b`.
inline std::uint32_t big16(Bytes b, std::size_t at) noexcept {
  return static_cast<std::uint32_t>(b[at] << 8 | b[at + 1]);
}
inline std::uint32_t big32(Bytes b, std::size_t at) noexcept { return big16(b, at) << 16 | big16(b, at + 2); }

inline Unexpected undecodable(const std::string& why) { return fail(ErrorCode::kInvalidArgument, why); }

}  // namespace infer::inline v0
