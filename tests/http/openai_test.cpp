#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base64.h"
#include "http/test_server.h"
#include "infer/engine/backend.h"

namespace infer::http::testing {
namespace {

/// Maps texts to four numbers that depend only on their token ids.
class TextBackend final : public Backend {
 public:
  const ModelSignature& signature() const noexcept override { return signature_; }
  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    const auto rows = static_cast<std::size_t>(inputs[0].shape()[0]);
    auto output = Tensor::allocate(DType::kFp32, Shape{static_cast<std::int64_t>(rows), 4});
    for (std::size_t row = 0; row < rows; ++row) {
      const Tensor mask = inputs[1].row(row);
      const Tensor ids = inputs[0].row(row);
      float sum = 0;
      for (std::size_t i = 0; i < ids.elements(); ++i)
        sum += static_cast<float>(ids.as<std::int64_t>()[i] * mask.as<std::int64_t>()[i]);
      const float values[4] = {sum, 1, 2, 3};
      std::memcpy(output->row(row).data(), values, sizeof values);
    }
    std::vector<Tensor> outputs;
    outputs.push_back(*std::move(output));
    return outputs;
  }

 private:
  const ModelSignature signature_{
      {{"input_ids", DType::kInt64, Shape{-1}}, {"attention_mask", DType::kInt64, Shape{-1}}},
      {{"embedding", DType::kFp32, Shape{4}}}};
};

class OpenAi : public ::testing::Test {
 protected:
  OpenAi() {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n";
    Manifest manifest;
    manifest.task = "text-embedding";
    manifest.tokenizer = TokenizerSpec{.max_tokens = 6};
    Model model = make_model("text", std::make_shared<TextBackend>(), manifest);
    model.directory = folder_;
    EngineOptions options;
    options.warmup = Warmup::kNone;
    server_.service()
        .add(std::make_shared<Engine>(Engine::create(std::move(model), options).value()))
        .value();
  }
  ~OpenAi() override { std::filesystem::remove_all(folder_); }

  simdjson::dom::element ask(const std::string& body, int status = 200) {
    const auto response = server_.client().Post("/v1/embeddings", body, "application/json");
    EXPECT_EQ(response->status, status) << response->body;
    return parser_.parse(response->body).value();
  }
  std::vector<double> embedding(const std::string& body, std::size_t index = 0) {
    std::vector<double> out;
    for (const auto value : ask(body)["data"].at(index)["embedding"].get_array())
      out.push_back(value.get_double());
    return out;
  }
  std::string error(const std::string& body, int status = 400) {
    return std::string(ask(body, status)["error"]["message"].get_string().value());
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("infer-openai-" + std::to_string(getpid()));
  TestServer server_;
  simdjson::dom::parser parser_;
};

TEST_F(OpenAi, AStringAListAndTokensAreTheSameText) {
  const auto one = embedding(R"({"model":"text","input":"hello world"})");
  ASSERT_EQ(one.size(), 4U);
  EXPECT_EQ(embedding(R"({"model":"text","input":["world","hello world"],"user":"u"})", 1), one);
  EXPECT_EQ(embedding(R"({"model":"text","input":[5,6]})"), one);
  EXPECT_EQ(embedding(R"({"model":"text","input":[[5],[2,5,6,3]]})", 1), one);
  const auto answer = ask(R"({"model":"text","input":["hello","hello world"]})");
  EXPECT_EQ(answer["usage"]["prompt_tokens"].get_int64().value(),
            7);  // including two special tokens for each text
  EXPECT_EQ(answer["data"].at(1)["index"].get_int64().value(), 1);
}

TEST_F(OpenAi, Base64HoldsTheSameFloats) {
  const auto floats = embedding(R"({"model":"text","input":"hello"})");
  const auto answer = ask(R"({"model":"text","input":"hello","encoding_format":"base64"})");
  const auto bytes = adapter::decode_base64(answer["data"].at(0)["embedding"].get_string().value()).value();
  ASSERT_EQ(bytes.size(), 16U);
  for (std::size_t i = 0; i < 4; ++i) {
    float value = 0;
    std::memcpy(&value, bytes.data() + 4 * i, 4);
    EXPECT_EQ(static_cast<float>(floats[i]), value);
  }
}

TEST_F(OpenAi, FewerDimensionsAreAUnitVectorAgain) {
  const auto two = embedding(R"({"model":"text","input":"hello","dimensions":2})");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_NEAR(two[0] * two[0] + two[1] * two[1], 1, 1e-6);
  EXPECT_EQ(error(R"({"model":"text","input":"hello","dimensions":5})"),
            "dimensions: must be a whole number from 1 to 4");
}

TEST_F(OpenAi, ImagesComeAsDataAddressesAndAreNeverFetched) {
  const auto photo = infer::testing::read_bytes(infer::testing::golden("coffee").encoded);
  EXPECT_EQ(
      embedding(R"({"model":"scripted","input":"data:image/jpeg;base64,)" + encode_base64(photo) + "\"}")
          .size(),
      8U);
  EXPECT_NE(error(R"({"model":"scripted","input":["http://127.0.0.1/photo.jpg"]})")
                .find("is a remote address, which the server does not fetch"),
            std::string::npos);
}

TEST_F(OpenAi, MistakesNameWhatIsWrong) {
  EXPECT_EQ(error(R"({"model":"absent","input":"a"})", 404),
            "model: 'absent' is not loaded; loaded embedding models: scripted, text");
  EXPECT_EQ(error(R"({"model":"text"})"), "input: is missing");
  EXPECT_EQ(error(R"({"model":"text","input":[]})"), "input: is empty, at least 1 is needed");
  EXPECT_EQ(error(R"({"model":"text","input":[[5],"a"]})"),
            "input[1]: must be a list of token ids like the first");
  EXPECT_EQ(error(R"({"model":"text","input":[[5],[7]]})"),
            "inputs[1]: token 0 is 7, the vocabulary ends before 7");
  EXPECT_EQ(error(R"({"model":"text","input":"hello","encoding_format":"hex"})"),
            "encoding_format: 'hex' is not one of float, base64");
  EXPECT_NE(error(R"({"model":"text","input":"hello hello hello hello hello"})", 413).find("max_tokens is 6"),
            std::string::npos);
}

TEST_F(OpenAi, TheModelThatWasAskedForOrAnErrorOnEveryRoute) {
  auto client = server_.client();
  const auto expect = [&](const std::string& path, const std::string& body, int status,
                          const std::string& part) {
    const auto response = client.Post(path, body, "application/json");
    ASSERT_TRUE(response) << body;
    EXPECT_EQ(response->status, status) << path << body << response->body;
    EXPECT_NE(response->body.find(part), std::string::npos) << path << body << response->body;
  };
  const std::string texts = R"("inputs":"hello","input":"hello")";
  const std::string sentences = R"("inputs":{"source_sentence":"hello","sentences":["world"]})";
  const std::string images =
      R"("images":[")" + encode_base64(infer::testing::read_bytes(infer::testing::golden("coffee").encoded)) +
      "\"]";
  for (const auto& [path, fields, good, wrong] :
       std::vector<std::tuple<std::string, std::string, std::string, std::string>>{
           {"/embed", texts, "text", "scripted"},
           {"/similarity", sentences, "text", "scripted"},
           {"/embed/base64", images, "scripted", "text"}}) {
    expect(path, "{" + fields + R"(,"model":")" + good + "\"}", 200, "[");
    expect(path, "{" + fields + R"(,"model":null})", 200, "[");
    expect(path, "{" + fields + R"(,"model":"nope"})", 404, " models: " + good);
    expect(path, "{" + fields + R"(,"model":""})", 404, " models: " + good);
    expect(path, "{" + fields + R"(,"model":")" + wrong + "\"}", 400, " models: " + good);
    expect(path, "{" + fields + R"(,"model":5})", 400, "model: must be a string");
    expect(path, "{" + fields + R"(,"version":"7"})", 404, "version: '7' is not loaded");
    expect(path, "{" + fields + R"(,"version":"1"})", 200, "[");
  }
  expect("/predict", R"({"text":"a","model":"text"})", 400,
         "is for text-embedding, not for text-classification");
  expect("/v1/embeddings", R"({"input":"hello","model":"text","version":"9"})", 404, "loaded versions: 1");
  expect("/v2/models/nope/infer", "{}", 404, "available: scripted, text");
  expect("/v2/models/text/versions/9/infer", "{}", 404, "available: 1");
}

TEST_F(OpenAi, EmbedHasTheDefaultsAndStatusesOfTextEmbeddingsInference) {
  auto client = server_.client();
  const auto status = [&](const std::string& body) {
    return client.Post("/embed", body, "application/json")->status;
  };
  EXPECT_EQ(status(R"({"inputs":"hello hello hello hello hello hello"})"), 200) << "texts are cut by default";
  const auto refused = client.Post(
      "/embed", R"({"inputs":"hello hello hello hello hello hello","truncate":false})", "application/json");
  EXPECT_EQ(refused->status, 413);
  EXPECT_NE(refused->body.find("has 8 tokens, max_tokens is 6"), std::string::npos) << refused->body;
  EXPECT_EQ(status(R"({"inputs":7})"), 422);
  EXPECT_EQ(status(R"({})"), 422);
  EXPECT_EQ(status(R"({"inputs":"hello","normalize":"yes"})"), 422);
  EXPECT_EQ(status(R"({"inputs":"hello","prompt_name":"query"})"), 422)
      << "ignoring it would change the vectors";
  EXPECT_EQ(status(R"({"inputs":"hello","truncation_direction":"left"})"), 422);
  EXPECT_EQ(status(R"({"inputs":"hello","truncation_direction":"Right","dimensions":2})"), 200);
  EXPECT_EQ(status(R"({"inputs":"hello")"), 400);
  EXPECT_EQ(client
                .Post("/similarity",
                      R"({"inputs":{"source_sentence":"hello","sentences":["hello"]},"normalize":false})",
                      "application/json")
                ->body.substr(0, 2),
            "[1")
      << "a cosine does not depend on the length";
}

TEST_F(OpenAi, ModelsAreListed) {
  auto client = server_.client();
  EXPECT_NE(client.Get("/v1/models")->body.find(R"("id":"text","object":"model")"), std::string::npos);
  EXPECT_EQ(client.Get("/v1/models/text")->status, 200);
  EXPECT_NE(client.Get("/v1/models/absent")->body.find("model_not_found"), std::string::npos);
}

TEST_F(OpenAi, TimesGoInTheHeaders) {
  const auto response = server_.client().Post("/embed", R"({"inputs":"hello"})", "application/json");
  EXPECT_EQ(response->status, 200) << response->body;
  for (const char* name : {"x-queue-time", "x-inference-time", "x-total-time"}) {
    const std::string value = response->get_header_value(name);
    EXPECT_FALSE(value.empty()) << name;
    EXPECT_GE(std::stod(value), 0) << name;
  }
}

}  // namespace
}  // namespace infer::http::testing
