#include "base64.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace infer::adapter {
namespace {

constexpr std::uint8_t kInvalid = 0xFF;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  table['-'] = 62;
  table['_'] = 63;
  return table;
}

constexpr std::array<std::uint8_t, 256> kTable = make_table();

std::uint8_t digit(char c) { return kTable[static_cast<unsigned char>(c)]; }

Unexpected bad(std::string_view text, std::size_t at) {
  const char c = text[at];
  const std::string shown = c > 0x20 && c < 0x7F ? std::string("'") + c + "'"
                                                 : "byte " + std::to_string(static_cast<unsigned char>(c));
  return fail(ErrorCode::kInvalidArgument, "not base64: " + shown + " at offset " + std::to_string(at));
}

bool same_letters(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Returns how many characters of a data address precede its base64, or 0 if `text` is not a data address.
Result<std::size_t> address_prefix(std::string_view text) {
  constexpr std::string_view kScheme = "data:";
  constexpr std::string_view kEncoding = ";base64";
  if (text.substr(0, 16).find("://") != std::string_view::npos)
    return fail(ErrorCode::kInvalidArgument,
                "is a remote address, which the server does not fetch; send the bytes as base64");
  if (!same_letters(text.substr(0, kScheme.size()), kScheme)) return std::size_t{0};
  const std::size_t comma = text.find(',');
  const std::string_view head = text.substr(0, comma);
  if (comma == std::string_view::npos || head.size() < kScheme.size() + kEncoding.size() ||
      !same_letters(head.substr(head.size() - kEncoding.size()), kEncoding)) {
    return fail(ErrorCode::kInvalidArgument,
                "is not of the form data:image/jpeg;base64,...; other data addresses are not supported");
  }
  return comma + 1;
}

}  // namespace

Result<std::vector<std::uint8_t>> decode_base64(std::string_view text) {
  const auto prefix = address_prefix(text);
  if (!prefix) return Unexpected(prefix.error());
  std::vector<std::uint8_t> out(text.size() / 4 * 3 + 3);
  std::uint8_t* write = out.data();
  std::size_t at = *prefix;
  // The common case: whole groups of four digits.
  for (; at + 4 <= text.size(); at += 4) {
    const std::uint8_t a = digit(text[at]);
    const std::uint8_t b = digit(text[at + 1]);
    const std::uint8_t c = digit(text[at + 2]);
    const std::uint8_t d = digit(text[at + 3]);
    if ((a | b | c | d) > 63) break;
    const std::uint32_t bits = static_cast<std::uint32_t>(a << 18 | b << 12 | c << 6 | d);
    *write++ = static_cast<std::uint8_t>(bits >> 16);
    *write++ = static_cast<std::uint8_t>(bits >> 8);
    *write++ = static_cast<std::uint8_t>(bits);
  }
  // The rest, digit by digit: line breaks, padding and the last group.
  std::uint32_t bits = 0;
  int count = 0;
  bool padded = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\r' || c == '\n') continue;
    if (c == '=') {
      padded = true;
      continue;
    }
    if (digit(c) == kInvalid || padded) return bad(text, at);
    bits = bits << 6 | digit(c);
    if (++count == 4) {
      *write++ = static_cast<std::uint8_t>(bits >> 16);
      *write++ = static_cast<std::uint8_t>(bits >> 8);
      *write++ = static_cast<std::uint8_t>(bits);
      count = 0;
      bits = 0;
    }
  }
  if (count == 1)
    return fail(ErrorCode::kInvalidArgument, "not base64: the last group has only one character");
  if (count >= 2) *write++ = static_cast<std::uint8_t>(bits >> (count == 2 ? 4 : 10));
  if (count == 3) *write++ = static_cast<std::uint8_t>(bits >> 2);
  out.resize(static_cast<std::size_t>(write - out.data()));
  return out;
}

std::string encode_base64(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t group = (std::uint32_t{bytes[i]} << 16) |
                                (left > 1 ? std::uint32_t{bytes[i + 1]} << 8 : 0) |
                                (left > 2 ? std::uint32_t{bytes[i + 2]} : 0);
    out += kAlphabet[group >> 18];
    out += kAlphabet[(group >> 12) & 63];
    out += left > 1 ? kAlphabet[(group >> 6) & 63] : '=';
    out += left > 2 ? kAlphabet[group & 63] : '=';
  }
  return out;
}

}  // namespace infer::adapter
