// Decodes a chunked body as a whole and byte by byte: both must agree, and no more bytes may be held than
// were given.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "message/chunked_reader.h"

namespace {

std::string read(std::string_view text, std::size_t step) {
  infer::http::ChunkedReader reader;
  std::string out;
  while (!text.empty() && !reader.complete() && reader.error().empty()) {
    std::string_view piece = text.substr(0, step);
    const std::size_t before = piece.size();
    out += reader.next(piece);
    text.remove_prefix(before - piece.size());
  }
  if (!reader.error().empty()) return "broken";
  return out + (reader.complete() ? "|" + std::string(text) : "?");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (read(text, size) != read(text, 1)) std::abort();
  return 0;
}
