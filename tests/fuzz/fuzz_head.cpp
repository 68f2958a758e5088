// Parses a request head. An accepted head, written out again, must parse to the same result.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "message/request_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infer::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t seen = 0;
  const std::size_t end = find_block_end(text, seen);
  if (end == std::string_view::npos) return 0;
  RequestHead head;
  if (const auto failure = parse_request_head(text.substr(0, end), head)) {
    if (failure->message.empty() || failure->status < 400) std::abort();
    return 0;
  }
  std::string plain = std::string(head.method) + " / HTTP/1." + (head.http_1_1 ? "1" : "0") + "\r\n";
  for (const Field& field : head.fields) {
    if (field.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) std::abort();
    plain.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  plain += "\r\n";
  RequestHead again;
  if (parse_request_head(plain, again)) std::abort();
  if (again.framing != head.framing || again.content_length != head.content_length ||
      again.keep_alive != head.keep_alive || again.fields.size() != head.fields.size() ||
      head.path.find('\0') != std::string::npos || head.path.empty())
    std::abort();
  return 0;
}
