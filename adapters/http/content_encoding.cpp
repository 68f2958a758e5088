#include "content_encoding.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace infer::http {
namespace {

/// The fastest: between two machines of a cluster time is dearer than bytes.
constexpr int kLevel = 1;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view accepted_encoding(std::string_view accept) {
  constexpr std::array<std::string_view, 2> kKnown{"gzip", "deflate"};
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    const std::string_view item = trimmed(accept.substr(0, comma));
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string_view weight = trimmed(item.substr(std::min(semicolon + 1, item.size())));
    const bool refused =
        weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    for (const std::string_view known : kKnown) {
      if (trimmed(item.substr(0, semicolon)) == known && !refused) return known;
    }
  }
  return {};
}

std::optional<std::string> compress(std::string_view encoding, std::span<const std::string_view> parts) {
  z_stream stream{};
  // 15 bits of window; 16 more stand for gzip's frame instead of zlib's, which is what deflate means in HTTP.
  const int window = encoding == "gzip" ? 15 + 16 : 15;
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  std::string out;
  std::array<char, 1 << 16> buffer{};
  const auto write = [&](int flush) {
    int outcome = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = buffer.size();
      outcome = deflate(&stream, flush);
      out.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0 && outcome != Z_STREAM_END);
  };
  for (std::string_view part : parts) {
    while (!part.empty()) {
      const std::size_t size = std::min<std::size_t>(part.size(), std::numeric_limits<std::uint32_t>::max());
      // zlib reads only, but its interface is older than const.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));  // NOLINT
      stream.avail_in = static_cast<uInt>(size);
      write(Z_NO_FLUSH);
      part.remove_prefix(size);
    }
  }
  write(Z_FINISH);
  deflateEnd(&stream);
  return out;
}

}  // namespace infer::http
