// A multipart body as the listener reads it: in two pieces, split where the first byte says.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "httplib_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  httplib::detail::MultipartFormDataParser parser;
  parser.set_boundary("b");
  std::vector<std::string> parts;
  const auto on_part = [&](const httplib::MultipartFormData&) {
    parts.emplace_back();
    return parts.size() < 64;
  };
  const auto on_bytes = [&](const char* bytes, std::size_t count) {
    if (!parts.empty()) parts.back().append(bytes, count);
    return true;
  };
  const auto* body = reinterpret_cast<const char*>(data + 1);
  const std::size_t cut = (size - 1) * data[0] / 255;
  if (parser.parse(body, cut, on_bytes, on_part))
    (void)parser.parse(body + cut, size - 1 - cut, on_bytes, on_part);
  (void)parser.is_valid();
  return 0;
}
