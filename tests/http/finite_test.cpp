// No answer that is not finite leaves as if it were one.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "http/test_server.h"
#include "infer/engine/backend.h"

namespace infer::http::testing {
namespace {

/// Answers with one value everywhere, whatever it is asked.
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
  void add(const std::string& name, ModelSignature signature, Manifest manifest) {
    Model model = make_model(name, std::make_shared<ConstantBackend>(std::move(signature), GetParam()),
                             std::move(manifest));
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
  TestServer server_;
};

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
  EXPECT_NE(json->body.find("outputs.y: element 0 is not finite"), std::string::npos) << json->body;
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
