#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "infer/models/import.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "support/checkpoint_files.h"
#include "support/import_fixture.h"

// Compares with tests/reference/import.txt, which make_import_reference.py wrote.

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string_view> kTexts{"the good film", "Bad, bad!",
                                           "a b c d e f g h i j k l m n o p q r", "the zz \xC3\xA9"};
const std::vector<std::pair<std::string, std::string>> kModes{
    {"cls", "pooling_mode_cls_token"},
    {"max", "pooling_mode_max_tokens"},
    {"mean", "pooling_mode_mean_tokens"},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"},
    {"weightedmean", "pooling_mode_weightedmean_tokens"},
    {"lasttoken", "pooling_mode_lasttoken"}};

class ImportParity : public testing::ImportFixture {
 protected:
  void expect_reference(const std::vector<float>& got, const std::string& name) {
    std::ifstream file(INFER_REFERENCE_IMPORT);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string first;
      words >> first;
      if (first != name) continue;
      const std::vector<float> expected{std::istream_iterator<float>(words), {}};
      ASSERT_EQ(got.size(), expected.size()) << name;
      for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-5) << name << " " << i;
      return;
    }
    ADD_FAILURE() << "no reference for " << name;
  }

  /// Returns the vectors of a checkpoint with these modules, in the format of `encode`.
  void expect_modules(const std::vector<testing::SentenceModule>& modules, const std::string& name) {
    start_again();
    const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
    testing::write_modules(source, modules);
    const auto imported = import_model(source, {"bert", "", 0}, model());
    ASSERT_TRUE(imported) << name << ": " << imported.error().message;
    const auto embedder = TextEmbedder::open(model()).value();
    TextOptions how;
    how.normalize = false;
    std::vector<float> all;
    const auto embedded = embedder.embed_many(kTexts, how).value();
    for (const auto& vector : embedded.vectors) all.insert(all.end(), vector.begin(), vector.end());
    expect_reference(all, name);
  }

  static testing::SentenceModule pooling(const std::string& config) {
    return {"Pooling", "1_Pooling", R"({"word_embedding_dimension":32,)" + config + "}", {}};
  }
  static testing::SentenceModule dense(std::int64_t inputs, std::int64_t outputs,
                                       const std::string& activation, bool bias = true,
                                       const std::string& path = "2_Dense") {
    testing::NamedShapes tensors{{path + "/linear.weight", {outputs, inputs}}};
    if (bias) tensors.push_back({path + "/linear.bias", {outputs}});
    return {"Dense", path,
            R"({"in_features":)" + std::to_string(inputs) + R"(,"out_features":)" + std::to_string(outputs) +
                R"(,"bias":)" + (bias ? "true" : "false") + R"(,"activation_function":"torch.nn.modules.)" +
                activation + R"("})",
            tensors};
  }
  static testing::SentenceModule layer_norm(std::int64_t size, const std::string& path) {
    return {"LayerNorm",
            path,
            R"({"dimension":)" + std::to_string(size) + "}",
            {{path + "/norm.weight", {size}}, {path + "/norm.bias", {size}}}};
  }
};

TEST_F(ImportParity, EveryPoolingInBothSpellings) {
  for (const auto& [mode, flag] : kModes) {
    std::string flags;
    for (const auto& [other, name] : kModes)
      flags += (flags.empty() ? "\"" : ",\"") + name + "\":" + (other == mode ? "true" : "false");
    expect_modules({pooling(flags)}, "flag-" + mode);
    expect_modules({pooling(R"("pooling_mode":")" + mode + "\"")}, "mode-" + mode);
  }
}

TEST_F(ImportParity, SeveralPoolingsSideBySide) {
  std::string flags;
  for (const auto& [mode, name] : kModes) flags += (flags.empty() ? "\"" : ",\"") + name + "\":true";
  expect_modules({pooling(flags)}, "flags-all");
  expect_modules({pooling(R"("pooling_mode":["lasttoken","mean","cls"])")}, "modes-list");
}

TEST_F(ImportParity, DenseWithEachActivation) {
  const auto mean = pooling(R"("pooling_mode_mean_tokens":true)");
  for (const auto& [name, activation] :
       std::vector<std::pair<std::string, std::string>>{{"tanh", "activation.Tanh"},
                                                        {"identity", "linear.Identity"},
                                                        {"relu", "activation.ReLU"},
                                                        {"gelu", "activation.GELU"},
                                                        {"sigmoid", "activation.Sigmoid"},
                                                        {"silu", "activation.SiLU"}})
    expect_modules({mean, dense(32, 8, activation, name != "identity")}, "dense-" + name);
}

TEST_F(ImportParity, NormalizeLayerNormAndAllOfThemInARow) {
  const auto mean = pooling(R"("pooling_mode_mean_tokens":true)");
  expect_modules({mean, {"Normalize", "2_Normalize", "", {}}}, "normalize");
  expect_modules({mean, layer_norm(32, "2_LayerNorm")}, "layer-norm");
  expect_modules({pooling(R"("pooling_mode":["cls","max"])"),
                  dense(64, 8, "activation.Tanh"),
                  layer_norm(8, "3_LayerNorm"),
                  dense(8, 6, "linear.Identity", false, "4_Dense"),
                  {"Normalize", "5_Normalize", "{}", {}}},
                 "whole");
}

TEST_F(ImportParity, ProblemTypeDecidesWhatLogitsBecome) {
  using Scores = TextClassifier::Scores;
  for (const auto& [name, labels, problem, scores] :
       std::vector<std::tuple<std::string, int, std::string, Scores>>{
           {"single", 3, "single_label_classification", Scores::kShares},
           {"multi", 3, "multi_label_classification", Scores::kProbabilities},
           {"unsaid", 3, "", Scores::kShares},
           {"one", 1, "", Scores::kProbabilities},
           {"regression-1", 1, "regression", Scores::kValues},
           {"regression-2", 2, "regression", Scores::kValues}}) {
    start_again();
    std::string config = testing::bert_config(false);
    if (!problem.empty()) config.insert(1, R"("problem_type":")" + problem + R"(",)");
    const auto source = checkpoint(config, testing::bert_shapes("bert.", false, labels));
    const auto imported = import_model(source, {"bert", "", 0}, model());
    ASSERT_TRUE(imported) << name << ": " << imported.error().message;
    const auto classifier = TextClassifier::open(model()).value();
    EXPECT_EQ(classifier.scores_are(), scores) << name;
    std::vector<float> all;
    const auto classified = classifier.classify(kTexts).value();
    for (const auto& one : classified.texts) all.insert(all.end(), one.scores.begin(), one.scores.end());
    expect_reference(all, "classify-" + name);
  }
}

}  // namespace
}  // namespace infer::inline v0
