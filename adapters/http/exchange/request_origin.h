#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.h"

namespace infer::http {

/// The header that operations (/drain, /reload, /log-level) demand. A page of another site cannot send it
/// without asking first, and this server never allows that.
inline constexpr const char* kAdminHeader = "X-Infer-Admin";

/// Whether an address, in numbers, is this machine's own: 127.0.0.0/8, ::1, and the first mapped into IPv6.
bool is_loopback(const std::string& address);

/// Whether who listens on `host` is reached from this machine alone. False where the name does not resolve.
bool listens_on_loopback(const std::string& host);

/// Whether a Host field names this machine, with or without a port: localhost, an address of `is_loopback`,
/// or one of `also`.
bool names_this_machine(std::string_view authority, const std::vector<std::string>& also = {});

/// Why a request is taken for one that a page of another site sent; nothing where it is not.
std::optional<std::string> sent_by_other_site(const Exchange& exchange);

}  // namespace infer::http
