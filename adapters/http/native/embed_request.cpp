#include "native/embed_request.h"

#include <utility>

#include "base64.h"
#include "infer/core/invalid.h"

namespace infer::http {
Unexpected too_many_images(std::size_t count, std::size_t limit) {
  return invalid("images: " + std::to_string(count) + " exceed max_images " + std::to_string(limit),
                 ErrorDetail::kTooLarge);
}

Result<std::vector<std::vector<std::uint8_t>>> parse_images(JsonBody& body, std::size_t limit) {
  const simdjson::dom::element* field = body.find("images");
  if (field == nullptr) return invalid("images: is missing");
  simdjson::dom::array images;
  if (field->get(images)) return invalid("images: must be a list of base64 strings");
  const std::size_t count = images.size();
  if (count == 0) return invalid("images: is empty, at least 1 is needed");
  if (count > limit) return too_many_images(count, limit);
  std::vector<std::vector<std::uint8_t>> out;
  out.reserve(count);
  for (const simdjson::dom::element item : images) {
    const std::string where = "images[" + std::to_string(out.size()) + "]";
    std::string_view text;
    if (item.get(text)) return invalid(where + ": must be a base64 string");
    auto bytes = adapter::decode_base64(text);
    if (!bytes) return invalid(where + ": " + bytes.error().message);
    out.push_back(*std::move(bytes));
  }
  return out;
}

}  // namespace infer::http
