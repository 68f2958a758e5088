#pragma once

#include <atomic>
#include <cstddef>

#include "connection.h"
#include "exchange.h"
#include "httplib_config.h"
#include "listener.h"

namespace infer::http {

enum class BodyFraming { kNone, kLength, kChunked };

/// The first header of that name, null where there is none. A request has a dozen: looking at each takes less
/// than cpp-httplib's hashing, which makes a string of the name.
const std::string* find_header(const httplib::Request& request, std::string_view name) noexcept;

/// How the body is delimited. What two servers might read differently is refused (RFC 9112, section 6.3).
/// Errors: `kInvalidArgument`.
Result<BodyFraming> body_framing(const httplib::Request& request, std::size_t limit);

/// Bounds the bytes of all bodies that are held at a time.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t limit) : limit_(limit) {}

  /// What one request holds; given back when it ends.
  class Share {
   public:
    explicit Share(BodyBudget& budget) : budget_(budget) {}
    ~Share() { budget_.used_.fetch_sub(taken_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    bool take(std::size_t bytes) {
      taken_ += bytes;
      return budget_.used_.fetch_add(bytes) + bytes <= budget_.limit_;
    }

   private:
    BodyBudget& budget_;
    std::size_t taken_ = 0;
  };

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// Whether it takes cpp-httplib to read the body: in chunks, compressed or in parts.
bool needs_reader(const httplib::Request& request);

/// Reads the body into the exchange, counting decompressed bytes; false when it has answered instead.
/// `reader` may be null where none is needed.
bool read_body(Exchange& exchange, Connection& connection, const httplib::Request& request,
               const httplib::ContentReader* reader, const ListenerOptions& options,
               BodyBudget::Share& budget, const BufferPool& pool);

/// Reads and drops a body nobody wants, up to a bound, so that the connection stays of use. `reader` as
/// above.
void discard_body(Connection& connection, const httplib::Request& request,
                  const httplib::ContentReader* reader);

}  // namespace infer::http
