#include "exchange/request_origin.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "message/fields.h"

namespace infer::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_port(std::string_view text) {
  return text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Returns the host of "host:port" without brackets, or nothing if the text has another form.
std::optional<std::string_view> host_of(std::string_view authority) {
  if (authority.find('\0') != std::string_view::npos) return std::nullopt;
  std::string_view host = authority;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = authority.substr(1, end - 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
    rest = authority.substr(end + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    rest = authority.substr(host.size());
  }
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
  return host;
}

bool is_own(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bits = address.sa_family == AF_INET6
                         ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
                         : &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  return inet_ntop(address.sa_family, bits, text.data(), text.size()) != nullptr &&
         is_loopback(std::string(text.data()));
}

/// Returns "host:port" of an "http://host:port" origin, or an empty text for "null" and other forms.
std::string_view authority_of(std::string_view origin) {
  const std::size_t end = origin.find("://");
  return end == std::string_view::npos ? std::string_view() : origin.substr(end + 3);
}

}  // namespace

bool is_loopback(const std::string& address) {
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
  in6_addr six{};
  if (inet_pton(AF_INET6, address.c_str(), &six) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&six)) return six.s6_addr[12] == IN_LOOPBACKNET;
  return IN6_IS_ADDR_LOOPBACK(&six);
}

bool listens_on_loopback(const std::string& host) {
  if (host.empty()) return false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(list, &freeaddrinfo);
  for (const addrinfo* address = list; address != nullptr; address = address->ai_next)
    if (!is_own(*address->ai_addr)) return false;
  return true;
}

bool names_this_machine(std::string_view authority, const std::vector<std::string>& also) {
  const auto host = host_of(authority);
  if (!host) return false;
  if (same_text(*host, "localhost") || is_loopback(std::string(*host))) return true;
  return std::any_of(also.begin(), also.end(),
                     [&](const std::string& name) { return same_text(*host, name); });
}

std::optional<std::string> sent_by_other_site(const Exchange& exchange) {
  const auto site = exchange.request.header("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none")
    return "Sec-Fetch-Site: '" + shown(*site, 64) + "'" +
           " marks a request from a page of another site, which the server does not accept";
  const auto origin = exchange.request.header("Origin");
  if (!origin) return std::nullopt;
  const std::string_view from = authority_of(*origin);
  if (!from.empty() && same_text(from, exchange.request.header("Host").value_or(""))) return std::nullopt;
  return "Origin: '" + shown(*origin, 64) + "'" +
         " is another site; the server does not accept requests from pages of other sites";
}

}  // namespace infer::http
