#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "codec.h"
#include "exif.h"
#include "png_text.h"

namespace infer::inline v0 {
namespace {

/// libpng's default. A row of so many pixels takes milliseconds; longer rows would delay checks of deadlines.
constexpr std::size_t kMaxSide = 1'000'000;

/// Memory of libpng itself: its structures, zlib's window and tables.
constexpr std::size_t kLibraryBytes = 128 << 10;

struct Failure {
  std::jmp_buf jump;
  char message[128];
  bool out_of_memory;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* failure = static_cast<Failure*>(png_get_error_ptr(png));
  std::snprintf(failure->message, sizeof failure->message, "%s", message);
  std::longjmp(failure->jump, 1);
}

png_voidp allocate(png_structp png, png_alloc_size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) static_cast<Failure*>(png_get_mem_ptr(png))->out_of_memory = true;
  return memory;
}

void release(png_structp /*png*/, png_voidp memory) { std::free(memory); }

void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}

/// The bytes still to be read. libpng asks for a few KiB at a time. After the last row it also unpacks all
/// data that follows, only to discard it.
struct Source {
  std::span<const std::uint8_t> left;
  const Decoding* decoding;
  std::optional<ErrorCode> ended = {};  ///< Why decoding was stopped, if it was.
  std::size_t at_most = std::numeric_limits<std::size_t>::max();

  /// Limits the remaining bytes to those that the last row can need.
  void begin_last_row(std::size_t row_bytes) noexcept { at_most = (64 << 10) + 2 * row_bytes; }
};

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  source->ended = source->decoding->ended();
  if (source->ended) png_error(png, "ended");
  if (count > source->left.size()) png_error(png, "truncated");
  if (count > source->at_most) png_error(png, "more data than pixels");
  source->at_most -= count;
  std::memcpy(to, source->left.data(), count);
  source->left = source->left.subspan(count);
}

/// The decoder and its jump target for errors; not movable, since libpng keeps pointers into it.
struct Decoder {
  Decoder(Bytes bytes, const Decoding& decoding)
      : source{bytes, &decoding},
        png(png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning, &failure,
                                     allocate, release)),
        info(png != nullptr ? png_create_info_struct(png) : nullptr) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }

  Unexpected error() const {
    if (failure.out_of_memory) return Unexpected(out_of_memory());
    if (source.ended) return Unexpected(source.decoding->error(*source.ended));
    return fail(ErrorCode::kInvalidArgument, std::string("PNG: ") + failure.message);
  }

  Source source;
  Failure failure{};
  png_structp png;
  png_infop info;
};

// A longjmp returns to these two functions and skips only frames of libpng, which own nothing.

/// Reads up to the pixels and sets them to 8-bit RGB, or to RGBA if `alpha` is true and the file has
/// transparency.
bool read_header(Decoder& decoder, bool alpha) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  png_structp png = decoder.png;
  png_set_read_fn(png, &decoder.source, read_bytes);
  png_set_user_limits(png, kMaxSide, kMaxSide);
  // Skips chunks without pixels, such as profiles and texts, without unpacking them; ignores gamma.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(png, decoder.info);
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  if (!alpha) png_set_strip_alpha(png);
  return true;
}

/// Calls `take(count, y, x, step)` for each row of pixels until it returns false. Rows of an interlaced image
/// come in seven passes; each pass fills in pixels between those of earlier passes.
template <class Take>
bool read_rows(Decoder& decoder, std::uint8_t* row, const Take& take) {
  if (setjmp(decoder.failure.jump) != 0) return false;
  const png_structp png = decoder.png;
  const std::size_t width = png_get_image_width(png, decoder.info);
  const std::size_t height = png_get_image_height(png, decoder.info);
  const std::size_t row_bytes = width * 8;
  if (png_get_interlace_type(png, decoder.info) == PNG_INTERLACE_NONE) {
    for (std::size_t y = 0; y < height; ++y) {
      if (y + 1 == height) decoder.source.begin_last_row(row_bytes);
      png_read_row(png, row, nullptr);
      if (!take(width, y, std::size_t{0}, std::size_t{1})) return true;
    }
    return true;
  }
  const auto rows_of = [&](unsigned pass) -> std::size_t {
    return PNG_PASS_COLS(width, pass) == 0 ? 0 : PNG_PASS_ROWS(height, pass);
  };
  std::size_t left = 0;
  for (unsigned pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) left += rows_of(pass);
  for (unsigned pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
    const std::size_t columns = PNG_PASS_COLS(width, pass);
    const std::size_t rows = rows_of(pass);
    const std::size_t first_row = PNG_PASS_START_ROW(pass);
    for (std::size_t i = 0; i < rows; ++i) {
      if (--left == 0) decoder.source.begin_last_row(row_bytes);
      png_read_row(png, row, nullptr);
      if (!take(columns, first_row + (i << PNG_PASS_ROW_SHIFT(pass)), std::size_t{PNG_PASS_START_COL(pass)},
                std::size_t{1} << PNG_PASS_COL_SHIFT(pass)))
        return true;
    }
  }
  return true;
}

Result<void> start(Decoder& decoder, const Decoding& decoding, bool alpha) {
  if (const auto why = decoding.ended()) return Unexpected(decoding.error(*why));
  if (decoder.info == nullptr) return Unexpected(out_of_memory());
  const std::size_t width = decoding.info().width;
  const std::size_t height = decoding.info().height;
  if (std::max(width, height) > kMaxSide) {
    return fail(ErrorCode::kInvalidArgument,
                "PNG: " + std::to_string(width) + " x " + std::to_string(height) +
                    " has a side of more than " + std::to_string(kMaxSide) + " pixels",
                ErrorDetail::kTooLarge);
  }
  if (!read_header(decoder, alpha)) return decoder.error();
  return {};
}

/// Returns the bytes that libpng allocates from the header to the last row, plus our row. libpng keeps the
/// current and the previous row; with these transformations a pixel takes 64 bits for any file.
std::size_t working_bytes(const Decoder& decoder, std::size_t channels) {
  const std::size_t width = png_get_image_width(decoder.png, decoder.info);
  return kLibraryBytes + 2 * width * 8 + width * channels;
}

/// Lays `count` RGBA pixels over a grey background and stores them as RGB, in place. Returns true if one of
/// them is transparent.
bool lay_over(std::uint8_t* pixels, std::size_t count, unsigned background) noexcept {
  bool transparent = false;
  std::uint8_t* to = pixels;
  for (std::size_t i = 0; i < count; ++i, pixels += 4, to += Image::kChannels) {
    const unsigned alpha = pixels[3];
    transparent = transparent || alpha < 255;
    for (std::size_t c = 0; c < Image::kChannels; ++c)
      to[c] = static_cast<std::uint8_t>((pixels[c] * alpha + background * (255 - alpha) + 127) / 255);
  }
  return transparent;
}

/// Decodes the rows; `change(pixels, count)` turns the pixels that were read into RGB, in place.
template <class Change>
Result<void> read_pixels(Decoder& decoder, Decoding& decoding, std::size_t channels, const Change& change) {
  if (auto allocated = decoding.allocate(working_bytes(decoder, channels)); !allocated) return allocated;
  const auto row = std::make_unique_for_overwrite<std::uint8_t[]>(decoding.info().width * channels);
  std::optional<ErrorCode> ended;
  const auto take = [&](std::size_t count, std::size_t y, std::size_t x, std::size_t step) {
    change(row.get(), count);
    decoding.put(row.get(), count, y, x, step);
    ended = decoding.ended();
    return !ended;
  };
  if (!read_rows(decoder, row.get(), take)) return decoder.error();
  if (ended) return Unexpected(decoding.error(*ended));
  return {};
}

/// Finds the orientation of a PNG. As in Pillow, the last chunk of each kind counts.
struct Orientation {
  struct Text {
    std::string_view type;
    Bytes chunk;
  };
  std::optional<Bytes> exif;
  std::optional<Text> profile, xmp;

  void see(std::string_view type, Bytes chunk) {
    if (type == "eXIf") {
      exif = chunk;
    } else if (const auto keyword = png_text_keyword(type, chunk)) {
      if (*keyword == "Raw profile type exif") profile = {type, chunk};
      if (*keyword == "XML:com.adobe.xmp" && type == "iTXt") xmp = {type, chunk};
    }
  }

  int value() const {
    std::string unpacked;
    Bytes tiff;
    if (exif) {
      tiff = *exif;
    } else if (profile) {
      unpacked = raw_profile(png_text(profile->type, profile->chunk));
      tiff = bytes_of(unpacked);
    }
    // Some writers add the header of a JPEG segment.
    if (const auto orientation = tiff_orientation(without_exif_headers(tiff))) return *orientation;
    return xmp ? xmp_orientation(png_text(xmp->type, xmp->chunk)) : 1;
  }
};

Result<ImageInfo> probe_png(Bytes bytes) {
  if (bytes.size() < 33 || std::memcmp(bytes.data() + 12, "IHDR", 4) != 0)
    return undecodable("PNG is truncated");
  ImageInfo info;
  info.width = big32(bytes, 16);
  info.height = big32(bytes, 20);
  Orientation orientation;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = big32(bytes, at);
    if (length > bytes.size() - at - 12) break;
    const std::string_view type = text_of(bytes.subspan(at + 4, 4));
    orientation.see(type, bytes.subspan(at + 8, length));
    if (type == "IEND") break;
    at += length + 12;
  }
  info.orientation = orientation.value();
  return info;
}

Result<void> decode_png(Bytes bytes, Decoding& decoding) {
  Decoder decoder(bytes, decoding);
  if (auto started = start(decoder, decoding, false); !started) return started;
  return read_pixels(decoder, decoding, Image::kChannels, [](std::uint8_t*, std::size_t) {});
}

Result<bool> decode_png_over(Bytes bytes, std::uint8_t background, Decoding& decoding) {
  Decoder decoder(bytes, decoding);
  if (auto started = start(decoder, decoding, true); !started) return Unexpected(started.error());
  const bool has_alpha = (png_get_color_type(decoder.png, decoder.info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                         png_get_valid(decoder.png, decoder.info, PNG_INFO_tRNS) != 0;
  if (!has_alpha) return false;
  bool transparent = false;
  auto read = read_pixels(decoder, decoding, 4, [&](std::uint8_t* pixels, std::size_t count) {
    if (lay_over(pixels, count, background)) transparent = true;
  });
  if (!read) return Unexpected(read.error());
  return transparent;
}

}  // namespace

ImageCodec png_codec() noexcept {
  return {{"PNG", "image/png", {".png"}}, "\x89PNG\r\n\x1A\n", probe_png, decode_png, decode_png_over};
}

}  // namespace infer::inline v0
