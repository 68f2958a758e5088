#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace infer::http {

/// The first of gzip and deflate that an Accept-Encoding header lets us use; empty for neither.
std::string_view accepted_encoding(std::string_view accept);

/// The parts, one behind the other, compressed; `encoding` is gzip or deflate. Nothing when memory is out.
std::optional<std::string> compress(std::string_view encoding, std::span<const std::string_view> parts);

}  // namespace infer::http
