#include "message/content_encoding.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <new>

#include "message/fields.h"

namespace infer::http {
namespace {

/// The fastest level: within a cluster, CPU time costs more than bandwidth.
constexpr int kLevel = 1;
/// The window size in bits. Adding `kGzipFrame` selects gzip's frame instead of zlib's, which HTTP calls
/// deflate.
constexpr int kWindow = 15;
constexpr int kGzipFrame = 16;

}  // namespace

std::string_view accepted_encoding(std::string_view accept) {
  constexpr std::array<std::string_view, 2> kKnown{"gzip", "deflate"};
  while (!accept.empty()) {
    const std::string_view item = next_element(accept);
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string weight = parameter(item, "q").value_or("1");
    const bool refused = weight.starts_with('0') && weight.find_first_not_of("0.") == std::string::npos;
    for (const std::string_view known : kKnown) {
      if (equal_ignoring_case(trimmed(item.substr(0, semicolon)), known) && !refused) return known;
    }
  }
  return {};
}

std::optional<std::string> compress(std::string_view encoding, std::span<const std::string_view> parts) {
  z_stream stream{};
  const int window = encoding == "gzip" ? kWindow + kGzipFrame : kWindow;
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
      // zlib only reads these bytes, but its interface predates const.
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

std::optional<Coding> parse_coding(std::string_view name) {
  if (name.empty() || equal_ignoring_case(name, "identity")) return Coding::kIdentity;
  if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) return Coding::kGzip;
  if (equal_ignoring_case(name, "deflate")) return Coding::kDeflate;
  return std::nullopt;
}

struct Inflater::Stream : z_stream {};

Inflater::Inflater(Coding coding) : coding_(coding), stream_(std::make_unique<Stream>()) {
  if (inflateInit2(stream_.get(), coding == Coding::kGzip ? kWindow + kGzipFrame : kWindow) != Z_OK)
    throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

std::string_view Inflater::next(std::string_view& packed) {
  while (!broken_) {
    if (ended_) {
      if (packed.empty()) return {};
      // Only gzip allows another member after the end of the first.
      broken_ = stream_->total_in > 0 && coding_ != Coding::kGzip;
      if (broken_ || inflateReset(stream_.get()) != Z_OK) break;
      ended_ = false;
    }
    const std::size_t size = std::min<std::size_t>(packed.size(), std::numeric_limits<std::uint32_t>::max());
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // NOLINT: as above
    stream_->avail_in = static_cast<uInt>(size);
    stream_->next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_->avail_out = static_cast<uInt>(buffer_.size());
    const int outcome = inflate(stream_.get(), Z_NO_FLUSH);
    packed.remove_prefix(size - stream_->avail_in);
    ended_ = outcome == Z_STREAM_END;
    if (outcome == Z_MEM_ERROR) throw std::bad_alloc();
    // Z_BUF_ERROR only means that there was nothing to read and nothing to write.
    broken_ = outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR;
    const std::size_t count = buffer_.size() - stream_->avail_out;
    if (count > 0) return {buffer_.data(), count};
    if (outcome == Z_BUF_ERROR || (packed.empty() && !ended_)) return {};
  }
  return {};
}

}  // namespace infer::http
