#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace infer::inline v0::testing {

using Bytes = std::vector<std::uint8_t>;

inline Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

/// One row of what scripts/make_golden.py wrote.
struct Golden {
  std::string kind;  ///< "photo" or "kind"
  std::string name;
  std::string encoded;
  std::string pixels;
  std::size_t width = 224;
  std::size_t height = 224;
};

inline std::vector<Golden> goldens(const std::string& kind) {
  std::ifstream index(INFER_GOLDEN "/index.txt");
  std::vector<Golden> out;
  for (std::string line; std::getline(index, line);) {
    Golden golden;
    std::istringstream fields(line);
    fields >> golden.kind >> golden.name >> golden.encoded >> golden.pixels >> golden.width >> golden.height;
    if (golden.kind == kind) {
      if (kind == "photo") golden.width = golden.height = 224;
      out.push_back(golden);
    }
  }
  if (out.empty()) throw std::runtime_error("no golden data of kind " + kind);
  return out;
}

inline Golden golden(const std::string& name) {
  for (const char* kind : {"kind", "photo"}) {
    for (const Golden& entry : goldens(kind)) {
      if (entry.name == name) return entry;
    }
  }
  throw std::runtime_error("no golden data named " + name);
}

}  // namespace infer::inline v0::testing
