#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.h"

namespace infer::http {

/// The header that operations (/drain, /reload, /log-level) require. A browser lets a page of another site
/// send this header only if the server allows it, which this server never does.
inline constexpr const char* kAdminHeader = "X-Infer-Admin";

/// Whether a numeric address belongs to this machine: 127.0.0.0/8, ::1, or 127.0.0.0/8 mapped into IPv6.
bool is_loopback(const std::string& address);

/// Whether a listener on `host` can be reached from this machine only. False if the name cannot be
/// resolved.
bool listens_on_loopback(const std::string& host);

/// Whether a Host field names this machine, with or without a port: localhost, a loopback address, or one
/// of `also`.
bool names_this_machine(std::string_view authority, const std::vector<std::string>& also = {});

/// Returns why a request seems to come from a page of another site, or nothing if it does not.
std::optional<std::string> sent_by_other_site(const Exchange& exchange);

}  // namespace infer::http
