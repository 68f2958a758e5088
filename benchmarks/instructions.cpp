// Runs one part of the library many times, for a profiler that counts instructions: instructions PART TIMES
// PHOTO. Without arguments, lists the parts. Uses no LibTorch and one thread, and does the same work each
// time.

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base64.h"
#include "infer/core/batch_policy.h"
#include "infer/engine/model.h"
#include "infer/image/decode.h"
#include "infer/image/preprocess.h"
#include "infer/text/wordpiece.h"
#include "json/json_body.h"
#include "native/embed_request.h"
#include "protocols/oip/inference_request.h"
#include "protocols/oip/inference_response.h"

namespace {

using Work = std::function<void()>;
using Bytes = std::vector<std::uint8_t>;

/// Keeps the compiler from optimising away an unused value.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "m"(value) : "memory");
}

Work policy_decision() {
  infer::BatchOptions options;
  options.allowed_batch_sizes = {1, 2, 4, 8};
  const infer::BatchPolicy policy(options);
  const std::vector<infer::QueueItem> items(64);
  return [policy, items] { keep(policy.decide(infer::QueueView<>{items, 1, false}, infer::TimePoint{})); };
}

Work read_photograph(const Bytes& photo) {
  return [&photo] { keep(infer::decode_image(photo).value()); };
}

Work photograph_to_input(const Bytes& photo) {
  const auto image = std::make_shared<infer::Image>(infer::decode_image(photo).value());
  const auto out = std::make_shared<std::vector<float>>(3 * 224 * 224);
  return [image, out] { infer::preprocess_image(*image, {}, *out); };
}

Work read_images_of_json(const Bytes& photo) {
  const std::string json = R"({"images": [")" + infer::adapter::encode_base64(photo) + R"("]})";
  return [json] {
    infer::http::JsonBody body;
    if (!body.parse(infer::http::Body(json))) std::abort();
    keep(infer::http::parse_images(body, 8).value());
  };
}

Work read_small_inference() {
  const std::string json =
      R"({"inputs": [{"name": "x", "shape": [1, 11], "datatype": "FP32", "data": [0.1, 0.2, 0.3, 4, 5, 6.5, 7, 8, 9, 10.25, 11]}]})";
  return
      [json] { keep(infer::http::parse_inference_request(infer::http::Body(json), std::nullopt).value()); };
}

/// A model of which only the signature is used.
class Silent final : public infer::Backend {
 public:
  const infer::ModelSignature& signature() const noexcept override { return signature_; }
  infer::Result<std::vector<infer::Tensor>> forward(std::span<const infer::Tensor>) const override {
    return std::vector<infer::Tensor>{};
  }

 private:
  infer::ModelSignature signature_;
};

Work write_inference() {
  const auto model = std::make_shared<infer::Model>(infer::make_model("small", std::make_shared<Silent>()));
  infer::Tensor tensor = infer::Tensor::allocate(infer::DType::kFp32, {512}).value();
  float value = 0.125F;
  for (float& element : tensor.as<float>()) element = value = -value * 1.01F;
  const std::vector<std::vector<infer::Tensor>> rows{{std::move(tensor)}};
  return [model, rows] {
    keep(infer::http::write_inference_response(*model, infer::http::InferenceRequest{}, rows).value());
  };
}

Work words_to_ids() {
  std::vector<std::string> words{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "was", "##ing"};
  for (char c = 'a'; c <= 'z'; ++c) {
    words.emplace_back(1, c);
    words.push_back(std::string("##") + c);
  }
  const auto tokenizer =
      std::make_shared<infer::WordPiece>(infer::WordPiece::create(words, {.max_tokens = 128}).value());
  return [tokenizer] {
    keep(tokenizer->encode(
        "The film was slow in its first half, and surprising, even moving, in its second: go and see it."));
  };
}

}  // namespace

int main(int argc, char** argv) {
  Bytes photo;
  if (argc == 4) {
    std::ifstream file(argv[3], std::ios::binary);
    photo.assign(std::istreambuf_iterator<char>(file), {});
  }
  const std::vector<std::pair<std::string, std::function<Work()>>> parts{
      {"policy_decision", policy_decision},
      {"read_photograph", [&] { return read_photograph(photo); }},
      {"photograph_to_input", [&] { return photograph_to_input(photo); }},
      {"read_images_of_json", [&] { return read_images_of_json(photo); }},
      {"read_small_inference", read_small_inference},
      {"write_inference", write_inference},
      {"words_to_ids", words_to_ids},
  };
  if (argc != 4) {
    for (const auto& [name, make] : parts) std::cout << name << '\n';
    return 0;
  }
  for (const auto& [name, make] : parts) {
    if (name != argv[1]) continue;
    const Work work = make();
    for (long i = std::strtol(argv[2], nullptr, 10); i > 0; --i) work();
    return 0;
  }
  std::cerr << "instructions: unknown part " << argv[1] << '\n';
  return 2;
}
