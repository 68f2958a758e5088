#pragma once

#include <random>
#include <string>

namespace infer::http {

/// This thread's source of randomness for ids and jitter; not for secrets.
inline std::mt19937_64& random_source() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source;
}

/// 16 random hexadecimal digits.
inline std::string random_id() {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t bits = random_source()();
  std::string id(16, '0');
  for (char& c : id) {
    c = kHex[bits & 15];
    bits >>= 4;
  }
  return id;
}

}  // namespace infer::http
