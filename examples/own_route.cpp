// Serves an HTTP route of your own with the engine; the HTTP server is cpp-httplib.
#include <httplib.h>
#include <infer/infer.h>

#include <algorithm>
#include <cstdio>
#include <string>

int http_status(infer::ErrorCode code) {
  switch (code) {
    case infer::ErrorCode::kInvalidArgument:
      return 400;
    case infer::ErrorCode::kOverloaded:
      return 429;
    case infer::ErrorCode::kDeadlineExceeded:
      return 504;
    case infer::ErrorCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

int main(int argc, char** argv) {
  if (argc < 2) return std::puts("usage: own_route MODEL_DIR [PORT]"), 2;
  const auto embedder = infer::ImageEmbedder::open(argv[1]).value();
  httplib::Server server;
  // Answers with the index of the largest element of the embedding.
  server.Post("/argmax", [&](const httplib::Request& request, httplib::Response& response) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(request.body.data());
    const auto deadline = embedder.engine().clock().now() + std::chrono::seconds(10);
    const auto vector = embedder.embed({bytes, request.body.size()}, {deadline, {}});  // decodes here
    if (!vector) {
      response.status = http_status(vector.error().code);
      response.set_content(vector.error().message + "\n", "text/plain");
      return;
    }
    const auto largest = std::max_element(vector->begin(), vector->end()) - vector->begin();
    response.set_content(std::to_string(largest) + "\n", "text/plain");
  });
  server.Post("/stop", [&](const httplib::Request&, httplib::Response&) { server.stop(); });
  const int port = argc > 2 ? std::stoi(argv[2]) : 0;
  const int bound = port == 0                                ? server.bind_to_any_port("127.0.0.1")
                    : server.bind_to_port("127.0.0.1", port) ? port
                                                             : -1;
  if (bound < 0) return std::printf("port %d is taken\n", port), 1;
  std::printf("listening on %d\n", bound);
  std::fflush(stdout);
  server.listen_after_bind();
}
