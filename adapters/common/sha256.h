#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace infer::adapter {

/// SHA-256 (FIPS 180-4) in hexadecimal.
std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace infer::adapter
