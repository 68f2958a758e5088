#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec.h"
#include "exif.h"

// jpeglib.h needs the C headers above but does not include them.
#include <jpeglib.h>

#include <jerror.h>

namespace infer::inline v0 {
namespace {

/// A progressive file may contain any number of scans, and each costs a pass over all pixels; real encoders
/// write about ten.
constexpr int kMaxScans = 32;

/// Memory of libjpeg itself: tables, and the first pages of its pool.
constexpr std::size_t kLibraryBytes = 64 << 10;

struct Failure {
  jpeg_error_mgr manager;  // first member, since callbacks get a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  const Decoding* decoding;
  bool ended;  ///< True if decoding was stopped for the reason `why`.
  ErrorCode why;
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  (*info->err->format_message)(info, failure->message);
  std::longjmp(failure->jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace
  // libjpeg would fill missing data with grey. Here missing data is an error; other warnings are ignored.
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) on_error(info);
}

void no_output(j_common_ptr /*info*/) {}

/// libjpeg calls this function for each row of blocks of each scan.
void on_progress(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) {
    std::snprintf(failure->message, sizeof failure->message, "more than %d scans", kMaxScans);
    std::longjmp(failure->jump, 1);
  }
  if (const auto why = failure->decoding->ended()) {
    failure->ended = true;
    failure->why = *why;
    std::longjmp(failure->jump, 1);
  }
}

/// Adobe's CMYK: all four channels inverted. R = 255 - min(255, C(255-K)/255 + K), rounded as Pillow does.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const unsigned key = cmyk[3];  // stored inverted, as 255 - K
    for (int c = 0; c < 3; ++c) {
      const unsigned product = (255U - cmyk[c]) * key + 128U;
      rgb[c] = static_cast<std::uint8_t>(key - ((product + (product >> 8)) >> 8));
    }
  }
}

bool is_cmyk(const jpeg_decompress_struct& decoder) {
  return decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
}

/// The decoder and its jump target for errors; not movable, since libjpeg keeps pointers into it.
struct Decoder {
  Decoder(std::span<const std::uint8_t> encoded, const Decoding& decoding) : bytes(encoded) {
    failure.decoding = &decoding;
    info.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = on_error;
    failure.manager.emit_message = on_message;
    failure.manager.output_message = no_output;
    progress.progress_monitor = on_progress;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  Unexpected error() const {
    if (failure.ended) return Unexpected(failure.decoding->error(failure.why));
    if (failure.manager.msg_code == JERR_OUT_OF_MEMORY) return Unexpected(out_of_memory());
    return fail(ErrorCode::kInvalidArgument, std::string("JPEG: ") + failure.message);
  }

  std::span<const std::uint8_t> bytes;
  jpeg_decompress_struct info{};
  Failure failure{};
  jpeg_progress_mgr progress{};
};

// A longjmp returns to these two functions and skips only frames of libjpeg, which own nothing.

bool read_header(Decoder& decoder) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_create_decompress(&decoder.info);
  decoder.info.progress = &decoder.progress;
  jpeg_mem_src(&decoder.info, decoder.bytes.data(), static_cast<unsigned long>(decoder.bytes.size()));
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

bool read_scanlines(Decoder& decoder, const Decoding& decoding, std::uint8_t* rgb, std::uint8_t* cmyk) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  jpeg_decompress_struct& info = decoder.info;
  info.out_color_space = cmyk != nullptr ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    const std::size_t y = info.output_scanline;
    jpeg_read_scanlines(&info, cmyk != nullptr ? &cmyk : &rgb, 1);
    if (cmyk != nullptr) cmyk_to_rgb(cmyk, rgb, info.output_width);
    decoding.put(rgb, info.output_width, y);
  }
  // jpeg_finish_decompress would require the end marker, which some cameras leave out.
  return true;
}

/// Returns the bytes that libjpeg allocates from the header to the last row, plus our rows, rounded up. The
/// terms follow libjpeg-turbo's jdcoefct.c, jdmainct.c and jdsample.c.
std::size_t working_bytes(const jpeg_decompress_struct& info) {
  const auto ceil = [](std::size_t a, std::size_t b) { return (a + b - 1) / b; };
  const auto max_h = static_cast<std::size_t>(info.max_h_samp_factor);
  const auto max_v = static_cast<std::size_t>(info.max_v_samp_factor);
  const std::size_t across = ceil(info.image_width, DCTSIZE * max_h);
  const std::size_t down = ceil(info.image_height, DCTSIZE * max_v);
  // libjpeg keeps all coefficients if a component has several scans or is stored apart from the others.
  const bool several_scans = info.progressive_mode != FALSE || info.comps_in_scan < info.num_components;
  std::size_t bytes = kLibraryBytes;
  for (int i = 0; i < info.num_components; ++i) {
    const jpeg_component_info& component = info.comp_info[i];
    const std::size_t blocks_across = across * static_cast<std::size_t>(component.h_samp_factor);
    const std::size_t v = static_cast<std::size_t>(component.v_samp_factor);
    if (several_scans) bytes += blocks_across * down * v * sizeof(JBLOCK);
    // Two sets of block rows with the rows above and below them, and the upsampled rows.
    bytes += blocks_across * DCTSIZE * v * (DCTSIZE + 4);
    bytes += across * DCTSIZE * max_h * (max_v + 2);
  }
  return bytes + std::size_t{info.image_width} * (3 + 4);
}

bool is_frame_header(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Walks the marker segments up to the frame header (ITU-T T.81, annex B).
Result<ImageInfo> probe_jpeg(Bytes bytes) {
  ImageInfo info;
  constexpr std::string_view kXmpHeader("http://ns.adobe.com/xap/1.0/\0", 29);
  std::vector<std::uint8_t> exif;
  Bytes xmp;
  std::size_t at = 2;
  while (true) {
    while (at < bytes.size() && bytes[at] != 0xFF) ++at;
    while (at < bytes.size() && bytes[at] == 0xFF) ++at;
    if (at >= bytes.size()) return undecodable("JPEG is truncated: it has no frame header");
    const std::uint8_t marker = bytes[at++];
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;  // no segment follows
    if (marker == 0xD9 || marker == 0xDA) return undecodable("JPEG has no frame header before its data");
    if (at + 2 > bytes.size()) return undecodable("JPEG is truncated: it has no frame header");
    const std::size_t length = big16(bytes, at);
    if (length < 2 || length > bytes.size() - at)
      return undecodable("JPEG is truncated: a segment extends beyond the end");
    const Bytes segment = bytes.subspan(at + 2, length - 2);
    if (is_frame_header(marker)) {
      if (segment.size() < 6) return undecodable("JPEG frame header is too short");
      info.height = big16(segment, 1);
      info.width = big16(segment, 3);
      info.orientation = tiff_orientation(exif).value_or(xmp_orientation(text_of(xmp)));
      return info;
    }
    if (marker == 0xE1 && starts_with(segment, kExifHeader)) {
      const Bytes part = without_exif_headers(segment);  // Pillow joins the segments, too
      exif.insert(exif.end(), part.begin(), part.end());
    } else if (marker == 0xE1 && starts_with(segment, kXmpHeader)) {
      xmp = segment.subspan(kXmpHeader.size());
    }
    at += length;
  }
}

Result<void> decode_jpeg(Bytes bytes, Decoding& decoding) {
  if (const auto why = decoding.ended()) return Unexpected(decoding.error(*why));
  Decoder decoder(bytes, decoding);
  if (!read_header(decoder)) return decoder.error();
  const std::size_t width = decoder.info.image_width;
  if (width != decoding.info().width || decoder.info.image_height != decoding.info().height)
    return fail(ErrorCode::kInvalidArgument, "JPEG: the frame size differs from that of the header");
  if (auto allocated = decoding.allocate(working_bytes(decoder.info)); !allocated) return allocated;
  const auto rgb = std::make_unique_for_overwrite<std::uint8_t[]>(width * 3);
  const auto cmyk = std::make_unique_for_overwrite<std::uint8_t[]>(is_cmyk(decoder.info) ? width * 4 : 0);
  if (!read_scanlines(decoder, decoding, rgb.get(), is_cmyk(decoder.info) ? cmyk.get() : nullptr))
    return decoder.error();
  return {};
}

}  // namespace

ImageCodec jpeg_codec() noexcept {
  return {{"JPEG", "image/jpeg", {".jpg", ".jpeg"}}, "\xFF\xD8\xFF", probe_jpeg, decode_jpeg, nullptr};
}

}  // namespace infer::inline v0
