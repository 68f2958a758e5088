// Parses the boundary of a Content-Type (the first line) and a multipart body (the rest).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "message/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infer::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto boundary = multipart_boundary(text.substr(0, line));
  if (boundary && (boundary->empty() || boundary->size() > 70)) std::abort();
  const std::string_view body = text.substr(line + 1);
  const auto parts = parse_multipart(body, boundary ? *boundary : "b", 64);
  if (!parts) return 0;
  std::size_t total = 0;
  for (const Part& part : *parts) total += part.content.size();
  if (parts->size() > 64 || total > body.size()) std::abort();
  return 0;
}
