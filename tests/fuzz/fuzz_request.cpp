// Parses the body of POST /embed/base64.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "native/embed_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const infer::http::Body body(std::string_view(reinterpret_cast<const char*>(data), size));
  infer::http::JsonBody json;
  if (auto parsed = json.parse(body); !parsed) {
    if (parsed.error().message.empty()) std::abort();
    return 0;
  }
  const auto images = infer::http::parse_images(json, 8);
  if (images && (images->empty() || images->size() > 8)) std::abort();
  if (!images && images.error().message.empty()) std::abort();
  return 0;
}
