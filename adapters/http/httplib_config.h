#pragma once

// Include cpp-httplib only through this file, so that all files use the same settings. Only clients use
// cpp-httplib: client.cpp, which relies on its internals, and the tests.
#define CPPHTTPLIB_USE_POLL
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_RECV_BUFSIZ size_t(65536u)
#define CPPHTTPLIB_TCP_NODELAY true

#include <httplib.h>
