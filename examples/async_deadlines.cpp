// Embeds many photographs at once, with one deadline and one stop token for all.
#include <infer/infer.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <latch>
#include <stop_token>
#include <string>

int main(int argc, char** argv) {
  if (argc < 4) return std::puts("usage: async_deadlines MODEL_DIR MILLISECONDS PHOTO..."), 2;
  auto embedder = infer::ImageEmbedder::open(argv[1]).value();
  std::stop_source stop;  // stop.request_stop() cancels all photographs that no worker has started
  const auto deadline = embedder.engine().clock().now() + std::chrono::milliseconds(std::stoi(argv[2]));
  std::latch open(argc - 3);
  for (int i = 3; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::vector<std::uint8_t> photo{std::istreambuf_iterator<char>(file), {}};
    const std::string name = argv[i];
    // embed_async decodes in this thread, then returns. A worker computes the vector and calls back once.
    auto started = embedder.embed_async(photo, {deadline, stop.get_token()}, [&open, name](auto&& vector) {
      if (vector) {
        std::printf("%s: the first of %zu numbers is %f\n", name.c_str(), vector->size(), (*vector)[0]);
      } else {
        std::printf("%s: %s\n", name.c_str(), vector.error().message.c_str());
      }
      open.count_down();
    });
    if (!started) {  // not a photograph, or past the deadline: no callback
      std::printf("%s: %s\n", name.c_str(), started.error().message.c_str());
      open.count_down();
    }
  }
  open.wait();
}
