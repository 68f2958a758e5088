#pragma once

#include <random>
#include <string>

namespace infer::http {

/// Returns this thread's random generator for ids and jitter. Not for secrets.
inline std::mt19937_64& random_source() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source;
}

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
