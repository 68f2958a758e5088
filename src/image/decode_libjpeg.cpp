#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "codecs.h"

// After the C headers it forgets to include itself.
#include <jpeglib.h>

#include <jerror.h>

namespace infer::inline v0 {
namespace {

/// A progressive file may hold any number of scans, each a pass over all pixels; real encoders write about
/// ten.
constexpr int kMaxScans = 32;

struct Failure {
  jpeg_error_mgr manager;  // first, since the library hands back a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  (*info->err->format_message)(info, failure->message);
  std::longjmp(failure->jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace
  // The library would fill what is missing with grey; missing data is an error here, other oddities are not.
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) on_error(info);
}

void no_output(j_common_ptr /*info*/) {}

void on_progress(j_common_ptr info) {
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number > kMaxScans) {
    auto* failure = reinterpret_cast<Failure*>(info->err);
    std::snprintf(failure->message, sizeof failure->message, "more than %d scans", kMaxScans);
    std::longjmp(failure->jump, 1);
  }
}

/// Adobe's CMYK: all four channels inverted. R = 255 - min(255, C(255-K)/255 + K), rounded as Pillow does.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const unsigned key = cmyk[3];  // inverted already: 255 - K
    for (int c = 0; c < 3; ++c) {
      const unsigned product = (255U - cmyk[c]) * key + 128U;
      rgb[c] = static_cast<std::uint8_t>(key - ((product + (product >> 8)) >> 8));
    }
  }
}

// Everything a longjmp may skip lives outside this function, in the caller's frame.
bool read_scanlines(jpeg_decompress_struct& decoder, Failure& failure, std::span<const std::uint8_t> bytes,
                    Image& image, std::uint8_t* cmyk_row) {
  if (setjmp(failure.jump) != 0) return false;
  jpeg_mem_src(&decoder, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder, TRUE);
  const bool cmyk = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&decoder);
  if (decoder.output_width != image.width || decoder.output_height != image.height) {
    std::strcpy(failure.message, "frame size changed");
    return false;
  }
  while (decoder.output_scanline < decoder.output_height) {
    std::uint8_t* row = image.row(decoder.output_scanline);
    if (cmyk) {
      jpeg_read_scanlines(&decoder, &cmyk_row, 1);
      cmyk_to_rgb(cmyk_row, row, image.width);
    } else {
      jpeg_read_scanlines(&decoder, &row, 1);
    }
  }
  // Not jpeg_finish_decompress: it would demand the end marker, which some cameras leave out.
  return true;
}

}  // namespace

Result<Image> decode_jpeg_with_libjpeg(std::span<const std::uint8_t> bytes, const ImageInfo& info) {
  Image image = Image::uninitialised(info.width, info.height);
  const auto cmyk_row = std::make_unique_for_overwrite<std::uint8_t[]>(info.width * 4);
  jpeg_decompress_struct decoder{};
  Failure failure{};
  jpeg_progress_mgr progress{};
  decoder.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
  failure.manager.output_message = no_output;
  if (setjmp(failure.jump) != 0)
    return fail(ErrorCode::kInvalidArgument, std::string("JPEG: ") + failure.message);
  jpeg_create_decompress(&decoder);
  progress.progress_monitor = on_progress;
  decoder.progress = &progress;
  const bool done = read_scanlines(decoder, failure, bytes, image, cmyk_row.get());
  jpeg_destroy_decompress(&decoder);
  if (!done) return fail(ErrorCode::kInvalidArgument, std::string("JPEG: ") + failure.message);
  return image;
}

}  // namespace infer::inline v0
