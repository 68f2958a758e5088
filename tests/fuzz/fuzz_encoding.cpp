// Decompresses a gzip or zlib body in two pieces, split at the second byte's value, and parses names of
// encodings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "message/content_encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infer::http;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto read = [&](std::size_t cut) {
    Inflater inflater(data[0] % 2 == 0 ? Coding::kGzip : Coding::kDeflate);
    std::string out;
    for (std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
      for (std::string_view more = inflater.next(piece); !more.empty(); more = inflater.next(piece)) {
        out += more;
        if (out.size() > std::size_t{1} << 22) return std::string("large");
      }
      if (!piece.empty() && !inflater.broken()) std::abort();
    }
    return inflater.broken() ? "broken" : out + (inflater.complete() ? "|" : "?");
  };
  if (read(0) != read(text.size() * data[1] / 255)) std::abort();
  (void)accepted_encoding(text);
  (void)parse_coding(text);
  return 0;
}
