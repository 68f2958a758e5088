// Parses the body of POST /v2/models/{model}/infer. The first two bytes give the size of the JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocols/oip/inference_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t json = data[0] + 256U * data[1];
  const infer::http::Body body(std::string_view(reinterpret_cast<const char*>(data) + 2, size - 2));
  const auto request = infer::http::parse_inference_request(
      body, json == 0xFFFF ? std::nullopt : std::optional<std::size_t>(json));
  if (!request) {
    if (request.error().message.empty()) std::abort();
    return 0;
  }
  std::uint64_t sum = 0;  // reads every byte, so that a sanitizer finds missing ones
  for (const auto& input : request->inputs) {
    if (input.is_bytes) {
      if (input.strings.size() != input.shape.elements()) std::abort();
      for (const auto string : input.strings) {
        for (const std::uint8_t byte : string) sum += byte;
      }
    } else {
      for (std::size_t i = 0; i < input.numbers.bytes(); ++i)
        sum += static_cast<std::uint8_t>(input.numbers.data()[i]);
    }
  }
  return sum == ~std::uint64_t{0} ? 1 : 0;
}
