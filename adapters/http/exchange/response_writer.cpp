#include "exchange/response_writer.h"

namespace infer::http {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 424:
      return "Failed Dependency";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) out += (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7F ? ' ' : c;
  out.append("\r\n");
}

}  // namespace

void write_response_head(std::string& out, const ResponseHead& head,
                         const std::vector<std::pair<std::string, std::string>>& more) {
  out.append("HTTP/1.1 ")
      .append(std::to_string(head.status))
      .append(" ")
      .append(reason(head.status))
      .append("\r\n");
  if (head.close) {
    add_field(out, "Connection", "close");
  } else {
    add_field(out, "Connection", "keep-alive");
    add_field(out, "Keep-Alive",
              "timeout=" + std::to_string(head.idle.count()) + ", max=" + std::to_string(head.requests_left));
  }
  if (!head.content_type.empty()) add_field(out, "Content-Type", head.content_type);
  add_field(out, "Content-Length", std::to_string(head.content_length));
  for (const auto& [name, value] : more) add_field(out, name, value);
  out.append("\r\n");
}

}  // namespace infer::http
