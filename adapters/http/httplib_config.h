#pragma once

// The one place that includes cpp-httplib, so that every file sees it with the same settings.
#define CPPHTTPLIB_LISTEN_BACKLOG 1024
#define CPPHTTPLIB_USE_POLL
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_REQUEST_URI_MAX_LENGTH 4096
#define CPPHTTPLIB_RECV_BUFSIZ size_t(65536u)
#define CPPHTTPLIB_TCP_NODELAY true

#include <httplib.h>
