// Parses infer.json.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "infer/engine/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto manifest = infer::parse_manifest({reinterpret_cast<const char*>(data), size});
  if (!manifest && manifest.error().message.rfind("infer.json: ", 0) != 0) std::abort();
  return 0;
}
