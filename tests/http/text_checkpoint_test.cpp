// Imports and serves small text checkpoints: checks how routes handle their scores, and masks without
// tokens.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/test_server.h"
#include "infer/models/import.h"
#include "support/checkpoint_files.h"
#include "support/import_fixture.h"

namespace infer::http::testing {
namespace {

class TextCheckpoint : public infer::testing::ImportFixture {
 protected:
  /// Serves a model with these `labels`, `more` of config.json, and modules.
  void serve(int labels, const std::string& more,
             const std::vector<infer::testing::SentenceModule>& modules = {}) {
    server_.reset();
    start_again();
    std::string config = infer::testing::bert_config(false);
    config.insert(1, more);
    const auto source =
        checkpoint(config, infer::testing::bert_shapes(labels > 0 ? "bert." : "", false, labels));
    if (!modules.empty()) infer::testing::write_modules(source, modules);
    const auto imported = import_model(source, {"bert", "", 0}, model());
    ASSERT_TRUE(imported) << imported.error().message;
    TestServer::Setup setup;
    setup.server.repository.models = {model().string()};
    server_ = std::make_unique<TestServer>(std::move(setup));
  }
  httplib::Result post(const std::string& path, const std::string& body) {
    return server_->client().Post(path, body, "application/json");
  }
  simdjson::dom::element answer(const httplib::Result& response) {
    EXPECT_TRUE(response);
    EXPECT_EQ(response->status, 200) << response->body;
    return parser_.parse(response->body).value();
  }
  void TearDown() override {
    server_.reset();
    ImportFixture::TearDown();
  }

  std::unique_ptr<TestServer> server_;
  simdjson::dom::parser parser_;
};

TEST_F(TextCheckpoint, LabelsThatDoNotExcludeEachOtherHaveAProbabilityEach) {
  ASSERT_NO_FATAL_FAILURE(serve(3, R"("problem_type":"multi_label_classification",)"));
  const auto one = answer(post("/predict", R"({"text":"the good film"})"));
  const auto scores = one["scores"].get_object().value();
  ASSERT_EQ(scores.size(), 3u);
  double sum = 0;
  double most = 0;
  std::string best;
  for (const auto& [label, score] : scores) {
    EXPECT_GT(score.get_double().value(), 0);
    EXPECT_LT(score.get_double().value(), 1);
    sum += score.get_double().value();
    if (score.get_double().value() > most) best = label;
    most = std::max(most, score.get_double().value());
  }
  EXPECT_GT(std::abs(sum - 1), 1e-3) << "the scores are not shares";
  EXPECT_EQ(one["confidence"].get_double().value(), most);
  EXPECT_EQ(one["label"].get_string().value(), best);
  const auto several = answer(post("/predict", R"({"texts":["the good film","Bad, bad!"]})"));
  EXPECT_EQ(several["predictions"].get_array().size(), 2u);
  EXPECT_EQ(several["predictions"].at(0)["label"].get_string().value(), best);
}

TEST_F(TextCheckpoint, ARegressionHasValuesAndNeitherLabelNorConfidence) {
  for (const int labels : {1, 2}) {
    ASSERT_NO_FATAL_FAILURE(serve(labels, R"("problem_type":"regression",)"));
    const auto one = answer(post("/predict", R"({"text":"the good film"})"));
    EXPECT_EQ(one["scores"].get_object().size(), static_cast<std::size_t>(labels));
    std::vector<double> values;
    for (const auto& [label, score] : one["scores"].get_object()) values.push_back(score.get_double());
    EXPECT_TRUE(one["label"].error()) << "the largest value is not a label";
    EXPECT_TRUE(one["confidence"].error());
    const auto several = answer(post("/predict", R"({"texts":["the good film"]})"));
    const auto first = several["predictions"].at(0);
    EXPECT_TRUE(first["label"].error());
    std::size_t i = 0;
    for (const auto& [label, score] : first["scores"].get_object())
      EXPECT_EQ(score.get_double().value(), values[i++]);
  }
}

TEST_F(TextCheckpoint, AMaskThatHoldsNothingGetsNumbersOrAnError) {
  for (const char* mode : {"cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"}) {
    const std::string config =
        R"({"word_embedding_dimension":32,"pooling_mode":")" + std::string(mode) + "\"}";
    ASSERT_NO_FATAL_FAILURE(serve(0, "", {{"Pooling", "1_Pooling", config, {}}}));
    const auto response =
        post("/v2/models/model/infer",
             R"({"inputs":[{"name":"input_ids","shape":[2,3],"datatype":"INT64","data":[2,5,3,2,5,3]},)"
             R"({"name":"attention_mask","shape":[2,3],"datatype":"INT64","data":[0,0,0,1,1,1]}]})");
    ASSERT_TRUE(response);
    if (response->status == 400) {
      EXPECT_NE(response->body.find("element 0 is NaN or infinite"), std::string::npos) << response->body;
      continue;
    }
    const auto data = answer(response)["outputs"].at(0)["data"].get_array().value();
    EXPECT_EQ(data.size(), 64u) << mode;
    for (const auto value : data) EXPECT_TRUE(std::isfinite(value.get_double().value())) << mode;
  }
}

}  // namespace
}  // namespace infer::http::testing
