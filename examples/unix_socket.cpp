// Serves a model over a Unix socket, with a protocol of one line: a client sends "TIMEOUT_MS PATH" and gets
// the length and the first number of the vector of the image at PATH, or the code and the message of an
// error.
#include <infer/serving/call.h>
#include <infer/serving/model_repository.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

constexpr infer::Work kEmbedding = infer::work_of<infer::ImageEmbedder>("image-embedding");

infer::Result<std::vector<float>> embed(const infer::ServedModels& models, infer::Call& call,
                                        const std::string& path) {
  if (auto chosen = call.choose(models, {}, kEmbedding); !chosen) return infer::Unexpected(chosen.error());
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const infer::EncodedImage image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  auto vectors = call.task<infer::ImageEmbedder>().embed_many({&image, 1}, call.options(), call.permit());
  if (!vectors) return infer::Unexpected(vectors.error());
  call.ran(vectors->timings, vectors->batch_size, 1);
  return std::move(vectors->vectors.front());
}

void serve_client(const infer::ServedModels& models, int client) {
  const timeval patience{10, 0};  // how long to wait for a client that sends nothing
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string line;
  for (char c = 0; read(client, &c, 1) == 1 && c != '\n' && line.size() < 4096;) line += c;
  std::istringstream words(line);
  int timeout_ms = 0;
  std::string path;
  words >> timeout_ms >> std::ws;
  std::getline(words, path);
  infer::Call call;
  call.start = std::chrono::steady_clock::now();
  call.deadline = call.start + std::chrono::milliseconds(timeout_ms);
  const auto vector = embed(models, call, path);
  call.finish(vector.has_value(), std::chrono::steady_clock::now());
  std::string answer;
  if (vector) {
    answer = std::to_string(vector->size()) + " " + std::to_string(vector->front()) + "\n";
  } else {
    answer = std::string(infer::to_string(vector.error().code)) + ": " + vector.error().message + "\n";
  }
  (void)send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
  close(client);
}

int main(int argc, char** argv) {
  if (argc != 3) return std::puts("usage: unix_socket MODEL_DIR SOCKET"), 2;
  infer::RepositoryOptions options;
  options.models = {argv[1]};
  infer::ModelRepository repository(
      options, std::make_shared<infer::MetricsRegistry>(),
      [](const auto& event) { std::printf("%s\n", std::string(event.name).c_str()); });
  if (auto loaded = repository.load(); !loaded) return std::puts(loaded.error().message.c_str()), 1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[2]);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 64) != 0)
    return std::perror(argv[2]), 1;
  std::printf("listening on %s\n", argv[2]);
  std::fflush(stdout);
  while (true) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) std::thread(serve_client, std::cref(repository.models()), client).detach();
  }
}
