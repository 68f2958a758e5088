// Reads safetensors files: every returned tensor must lie within the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "infer/weights/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  auto owner = std::make_shared<std::vector<std::byte>>(bytes, bytes + size);
  const auto tensors = infer::parse_safetensors(*owner, owner);
  if (!tensors) return 0;
  for (const auto& [name, tensor] : *tensors) {
    if (tensor.bytes() == 0) continue;
    if (tensor.data() < owner->data() || tensor.data() + tensor.bytes() > owner->data() + size) std::abort();
    volatile const std::byte last = tensor.data()[tensor.bytes() - 1];
    (void)last;
  }
  return 0;
}
