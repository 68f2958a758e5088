#pragma once

// The one place that includes cpp-httplib, so that every file sees it with the same settings. It serves
// clients alone: client.cpp, which knows what is internal to it, and those of the tests.
#define CPPHTTPLIB_USE_POLL
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_RECV_BUFSIZ size_t(65536u)
#define CPPHTTPLIB_TCP_NODELAY true

#include <httplib.h>
