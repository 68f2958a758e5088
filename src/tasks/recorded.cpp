#include "recorded.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace infer::inline v0 {
namespace {

constexpr std::array<std::string_view, 3> kShort{"yes", "No refunds.", "?"};
constexpr std::array<std::string_view, 5> kSubjects{"The river", "A new library", "Her answer", "This phone",
                                                    "The council"};
constexpr std::array<std::string_view, 5> kVerbs{"was slower than expected", "changed how people work",
                                                 "cost 40 euros", "did not arrive in time",
                                                 "made everyone at the table laugh"};
static_assert(kRecordedTexts == kShort.size() + 2 * kSubjects.size() * kVerbs.size());

/// Advances a linear congruential generator by `steps` (Numerical Recipes, 1992).
std::uint32_t advanced(std::uint32_t state, std::size_t steps) {
  std::uint32_t factor = 1664525U;
  std::uint32_t added = 1013904223U;
  for (; steps > 0; steps >>= 1) {  // n steps equal one step of another generator, found by repeated squaring
    if (steps & 1) state = state * factor + added;
    added *= factor + 1;
    factor *= factor;
  }
  return state;
}

}  // namespace

std::string recorded_text(std::size_t index) {
  if (index < kShort.size()) return std::string(kShort[index]);
  index -= kShort.size();
  const std::size_t sentence = index / 2;
  std::string text(kSubjects[sentence / kVerbs.size()]);
  text += ' ';
  text += kVerbs[sentence % kVerbs.size()];
  if (index % 2 == 1) {
    text +=
        ", although nobody who was asked about it beforehand had thought so, and the report that followed "
        "took three months to write";
  }
  return text + ".";
}

Image recorded_image(std::size_t index) {
  constexpr std::size_t kEdge = 256;
  constexpr std::size_t kValues = kEdge * kEdge * Image::kChannels;
  Image image = Image::uninitialised(kEdge, kEdge);
  std::uint32_t state = advanced(1, index * kValues);
  for (std::size_t i = 0; i < kValues; ++i) {
    const std::size_t x = i / 3 % kEdge;
    const std::size_t y = i / 3 / kEdge;
    state = state * 1664525U + 1013904223U;
    const auto noise = static_cast<std::size_t>(state >> 24);
    const std::size_t value =
        index == 0   ? 0
        : index == 1 ? 255
        : index == 2 ? x
        : index == 3 ? y
                     : (x / (std::size_t{8} << (index % 4)) + y / 32 * i % 3) * 97 + noise * (index / 4);
    image.pixels[i] = static_cast<std::uint8_t>(value & 255);
  }
  return image;
}

}  // namespace infer::inline v0
