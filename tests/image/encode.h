#pragma once

#include <png.h>

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "golden.h"

// after the C headers that it does not include itself
#include <jpeglib.h>

namespace infer::inline v0::testing {

struct PngKind {
  int color_type = PNG_COLOR_TYPE_RGB;
  int depth = 8;
  bool interlaced = false;
  int orientation = 1;
  std::vector<png_color> palette = {};
  std::vector<std::uint8_t> palette_alpha = {};
  std::vector<std::pair<std::string, Bytes>> chunks = {};  ///< Written unchanged before the pixels.
};

/// Makes a PNG with the samples of `sample(x, y, channel)`, each of `kind.depth` bits.
template <class SampleAt>
Bytes write_png(std::size_t width, std::size_t height, const PngKind& kind, const SampleAt& sample) {
  Bytes out;
  png_structp png = png_create_write_struct(
      PNG_LIBPNG_VER_STRING, nullptr, [](png_structp, png_const_charp why) { throw std::runtime_error(why); },
      [](png_structp, png_const_charp) {});
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, std::size_t size) {
        auto& to = *static_cast<Bytes*>(png_get_io_ptr(p));
        to.insert(to.end(), data, data + size);
      },
      [](png_structp) {});
  png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_compression_level(png, 1);
  png_set_filter(png, 0, PNG_FILTER_NONE);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), kind.depth,
               kind.color_type, kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!kind.palette.empty())
    png_set_PLTE(png, info, kind.palette.data(), static_cast<int>(kind.palette.size()));
  if (!kind.palette_alpha.empty())
    png_set_tRNS(png, info, kind.palette_alpha.data(), static_cast<int>(kind.palette_alpha.size()), nullptr);
  std::uint8_t exif[] = {'M', 'M',  0, 42, 0, 0, 0, 8, 0, 1,
                         1,   0x12, 0, 3,  0, 0, 0, 1, 0, static_cast<std::uint8_t>(kind.orientation),
                         0,   0,    0, 0,  0, 0};
  if (kind.orientation != 1) png_set_eXIf_1(png, info, sizeof exif, exif);
  png_write_info(png, info);
  for (const auto& [name, data] : kind.chunks)
    png_write_chunk(png, reinterpret_cast<png_const_bytep>(name.data()), data.data(), data.size());
  const std::size_t channels = png_get_channels(png, info);
  const auto depth = static_cast<std::size_t>(kind.depth);
  const int passes = kind.interlaced ? png_set_interlace_handling(png) : 1;
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < height; ++y) {
      Bytes row((width * channels * depth + 7) / 8);
      for (std::size_t i = 0; i < width * channels; ++i) {
        const unsigned value = sample(i / channels, y, i % channels);
        if (depth == 16) {
          row[2 * i] = static_cast<std::uint8_t>(value >> 8);
          row[2 * i + 1] = static_cast<std::uint8_t>(value);
        } else {
          row[i * depth / 8] |= static_cast<std::uint8_t>(value << (8 - depth - i * depth % 8));
        }
      }
      png_write_row(png, row.data());
    }
  }
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

/// Makes a greyish JPEG of three components, 4:4:4, with `scans` scans: 1 is sequential, up to 199 are
/// progressive.
inline Bytes write_jpeg(std::size_t width, std::size_t height, int scans) {
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  errors.error_exit = [](j_common_ptr info) {
    char message[JMSG_LENGTH_MAX];
    (*info->err->format_message)(info, message);
    throw std::runtime_error(message);
  };
  jpeg_create_compress(&encoder);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &memory, &size);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  for (int i = 0; i < 3; ++i) encoder.comp_info[i].h_samp_factor = encoder.comp_info[i].v_samp_factor = 1;
  // The first coefficient bit by bit, then the others in bands or one by one, for each component.
  std::vector<jpeg_scan_info> script;
  if (scans > 1) {
    const int refinements = scans > 190 ? scans - 190 : 0;
    for (int bit = refinements; bit >= 0; --bit)
      script.push_back({3, {0, 1, 2, 0}, 0, 0, bit == refinements ? 0 : bit + 1, bit});
    const int others = scans - refinements - 1;
    for (int component = 0; component < 3; ++component) {
      const int bands = others / 3 + (component < others % 3 ? 1 : 0);
      for (int band = 0; band < bands; ++band)
        script.push_back({1, {component, 0, 0, 0}, 1 + band, band + 1 == bands ? 63 : 1 + band, 0, 0});
    }
    encoder.scan_info = script.data();
    encoder.num_scans = static_cast<int>(script.size());
  }
  jpeg_start_compress(&encoder, TRUE);
  Bytes row(width * 3);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::uint8_t>((i / 3 + 2 * y) % 256);
    JSAMPROW line = row.data();
    jpeg_write_scanlines(&encoder, &line, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  Bytes out(memory, memory + size);
  std::free(memory);
  return out;
}

}  // namespace infer::inline v0::testing
