// No route may return NaN or infinity as a valid answer.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include "http/test_server.h"
#include "infer/engine/backend.h"

namespace infer::http::testing {
namespace {

/// A model that answers with one value everywhere.
class ConstantBackend final : public Backend {
 public:
  ConstantBackend(ModelSignature signature, float value) : signature_(std::move(signature)), value_(value) {}
  const ModelSignature& signature() const noexcept override { return signature_; }
  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    std::vector<Tensor> outputs;
    for (const TensorSpec& spec : signature_.outputs) {
      auto output = Tensor::allocate(spec.dtype, spec.shape.with_batch(inputs[0].shape()[0]));
      std::ranges::fill(output->as<float>(), value_);
      outputs.push_back(*std::move(output));
    }
    return outputs;
  }

 private:
  const ModelSignature signature_;
  const float value_;
};

class Finite : public ::testing::TestWithParam<float> {
 protected:
  Finite() {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n";
  }
  ~Finite() override { std::filesystem::remove_all(folder_); }

  void add_text_model(const std::string& name, const std::string& task, const std::string& scores = "") {
    Manifest manifest;
    manifest.task = task;
    manifest.tokenizer = TokenizerSpec{.max_tokens = 6};
    if (task == "text-classification") manifest.labels = {"no", "yes"};
    manifest.scores = scores;
    add(name,
        {{{"input_ids", DType::kInt64, Shape{-1}}, {"attention_mask", DType::kInt64, Shape{-1}}},
         {{"out", DType::kFp32, Shape{2}}}},
        manifest);
  }
  void add(const std::string& name, ModelSignature signature, Manifest manifest) {
    Model model = make_model(name, std::make_shared<ConstantBackend>(std::move(signature), GetParam()),
                             std::move(manifest));
    model.directory = folder_;
    EngineOptions options;
    options.warmup = Warmup::kNone;
    server_.service()
        .add(std::make_shared<Engine>(Engine::create(std::move(model), options).value()))
        .value();
  }
  void expect_model_error(const httplib::Result& response, const std::string& model,
                          const std::string& output) {
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 500) << response->body;
    EXPECT_NE(response->body.find("model '" + model + "', output '" + output + "': element 0 is "),
              std::string::npos)
        << response->body;
  }
  /// Sends the tensors of a text unchanged, or not at all.
  void expect_tensors_of_text(const std::string& model) {
    const std::string path = "/v2/models/" + model + "/infer";
    const std::string inputs =
        R"({"inputs":[{"name":"input_ids","shape":[1,3],"datatype":"INT64","data":[2,5,3]},)"
        R"({"name":"attention_mask","shape":[1,3],"datatype":"INT64","data":[1,1,1]}])";
    auto client = server_.client();
    const auto json = client.Post(path, inputs + "}", "application/json");
    ASSERT_TRUE(json);
    EXPECT_EQ(json->status, 400) << json->body;
    EXPECT_NE(json->body.find("outputs.out: element 0 is NaN or infinite"), std::string::npos) << json->body;
    const auto binary =
        client.Post(path, inputs + R"(,"parameters":{"binary_data_output":true}})", "application/json");
    ASSERT_TRUE(binary);
    ASSERT_EQ(binary->status, 200) << binary->body;
    const std::array<float, 2> expected{GetParam(), GetParam()};
    ASSERT_GE(binary->body.size(), sizeof expected);
    EXPECT_EQ(std::memcmp(binary->body.data() + binary->body.size() - sizeof expected, expected.data(),
                          sizeof expected),
              0);
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("infer-finite-" + std::to_string(getpid()));
  TestServer server_;
};

TEST_P(Finite, NoVectorOfATextIsNot) {
  add_text_model("broken", "text-embedding");
  auto client = server_.client();
  for (const auto& [path, body] :
       {std::pair("/embed", R"({"model":"broken","inputs":"hello"})"),
        std::pair("/embed", R"({"model":"broken","inputs":["hello"],"normalize":false})"),
        std::pair("/similarity",
                  R"({"model":"broken","inputs":{"source_sentence":"hello","sentences":["hello"]}})"),
        std::pair("/v1/embeddings", R"({"model":"broken","input":"hello"})"),
        std::pair("/v1/embeddings", R"({"model":"broken","input":[[5]],"encoding_format":"base64"})"),
        std::pair("/v1/embeddings", R"({"model":"broken","input":"hello","dimensions":1})")})
    expect_model_error(client.Post(path, body, "application/json"), "broken", "out");
  expect_tensors_of_text("broken");
}

TEST_P(Finite, NoScoreOfATextIsNot) {
  for (const std::string scores : {"softmax", "sigmoid", "none"}) {
    const std::string model = "broken-" + scores;
    add_text_model(model, "text-classification", scores);
    auto client = server_.client();
    for (const char* field : {R"("text":"hello")", R"("texts":["hello","hello"])"}) {
      expect_model_error(
          client.Post("/predict", R"({"model":")" + model + "\"," + field + "}", "application/json"), model,
          "out");
    }
    expect_tensors_of_text(model);
  }
}

TEST_P(Finite, NoVectorOfAnImageIsNot) {
  Manifest manifest;
  manifest.task = "image-embedding";
  manifest.preprocess = ImagePreprocess{.size = 32};
  add("broken", infer::testing::image_signature(32, 8), manifest);
  const auto photo = infer::testing::read_bytes(infer::testing::golden("coffee").encoded);
  const std::string base64 = encode_base64(photo);
  const std::string output = infer::testing::image_signature(32, 8).outputs[0].name;
  auto client = server_.client();
  expect_model_error(
      client.Post("/embed/base64", R"({"model":"broken","images":[")" + base64 + "\"]}", "application/json"),
      "broken", output);
  expect_model_error(
      client.Post("/v1/embeddings", R"({"model":"broken","input":")" + base64 + "\"}", "application/json"),
      "broken", output);
  const httplib::MultipartFormDataItems parts{
      {"model", "broken", "", ""}, {"f", std::string(photo.begin(), photo.end()), "a.jpg", "image/jpeg"}};
  expect_model_error(client.Post("/embed", parts), "broken", output);
}

TEST_P(Finite, NoForecastIsNot) {
  Manifest manifest;
  manifest.task = "forecast";
  manifest.series = SeriesSpec{{"sales"}, 1, {}, 2, 1, "", 0, 0, {10}, {2}};
  add("series", {{{"window", DType::kFp32, Shape{2, 1}}}, {{"row", DType::kFp32, Shape{1, 1}}}}, manifest);
  expect_model_error(server_.client().Post("/predict", R"({"rows":[[1],[2]]})", "application/json"), "series",
                     "row");
}

TEST_P(Finite, TensorsGoAsTheyAreInBinaryAndNeverAsJson) {
  add("raw", {{{"x", DType::kFp32, Shape{1}}}, {{"y", DType::kFp32, Shape{2}}}}, {});
  const std::string input = R"({"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}])";
  auto client = server_.client();
  const auto json = client.Post("/v2/models/raw/infer", input + "}", "application/json");
  EXPECT_EQ(json->status, 400) << json->body;
  EXPECT_NE(json->body.find("outputs.y: element 0 is NaN or infinite"), std::string::npos) << json->body;
  const auto binary = client.Post(
      "/v2/models/raw/infer", input + R"(,"parameters":{"binary_data_output":true}})", "application/json");
  ASSERT_EQ(binary->status, 200) << binary->body;
  float value = 0;
  std::memcpy(&value, binary->body.data() + binary->body.size() - sizeof value, sizeof value);
  EXPECT_EQ(std::isnan(value), std::isnan(GetParam()));
  EXPECT_FALSE(std::isfinite(value));
}

INSTANTIATE_TEST_SUITE_P(Values, Finite,
                         ::testing::Values(std::numeric_limits<float>::quiet_NaN(),
                                           std::numeric_limits<float>::infinity(),
                                           -std::numeric_limits<float>::infinity()));

}  // namespace
}  // namespace infer::http::testing
