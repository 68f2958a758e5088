#include "infer/models/import.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "../src/series/csv.h"
#include "infer/engine/open.h"
#include "infer/models/quantize.h"
#include "infer/models/train_text.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "support/checkpoint_files.h"
#include "support/import_fixture.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
using testing::NamedShapes;

using Import = testing::ImportFixture;

/// What Hugging Face transformers gave, by name.
std::vector<float> reference(const std::string& name) {
  std::ifstream file(INFER_REFERENCE);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == name) return {std::istream_iterator<float>(words), {}};
  }
  ADD_FAILURE() << "no reference for " << name;
  return {};
}

/// Token ids of the reference, padded with zeros.
const std::vector<std::vector<std::int64_t>> kIds{
    {2, 7, 11, 4, 3, 0, 0}, {2, 9, 3, 0, 0, 0, 0}, {2, 5, 6, 7, 8, 9, 3}};

Result<std::vector<float>> run_ids(const fs::path& directory) {
  auto engine = open_engine(directory);
  if (!engine) return Unexpected(engine.error());
  std::vector<Pending> pending;
  auto permit = engine->try_admit();
  for (const auto& row : kIds) {  // side by side, so that they share batches
    Sample sample;
    for (const bool mask : {false, true}) {
      Tensor tensor = Tensor::allocate(DType::kInt64, Shape{7}).value();
      for (std::size_t i = 0; i < 7; ++i)
        tensor.as<std::int64_t>()[i] = mask ? (row[i] != 0 ? 1 : 0) : row[i];
      sample.push_back(tensor);
    }
    pending.push_back(engine->submit(std::move(sample), {}, *permit).value());
  }
  std::vector<float> all;
  for (Pending& one : pending) {
    auto response = one.get();
    if (!response) return Unexpected(response.error());
    const auto values = response->outputs[0].as<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

void expect_near(const std::vector<float>& got, const std::string& name) {
  const auto expected = reference(name);
  ASSERT_EQ(got.size(), expected.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4) << name << " " << i;
}

TEST_F(Import, BertGivesWhatTransformersGives) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  for (const char* pooling : {"mean", "cls"}) {
    fs::remove_all(model());
    ImportOptions options{"bert", pooling, 0};
    import_model(source, options, model()).value();
    expect_near(run_ids(model()).value(), std::string("bert-") + pooling);
  }
}

TEST_F(Import, ABertClassifierGivesWhatTransformersGives) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("bert.", false, 3));
  import_model(source, {"bert", "", 0}, model()).value();
  expect_near(run_ids(model()).value(), "bert-classify");
  EXPECT_EQ(read_manifest(model()).value().labels,
            (std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"}));
}

TEST_F(Import, ADistilBertClassifierGivesWhatTransformersGives) {
  const auto source = checkpoint(testing::bert_config(true), testing::bert_shapes("distilbert.", true, 2));
  import_model(source, {"bert", "", 0}, model()).value();
  expect_near(run_ids(model()).value(), "distilbert-classify");
  const auto classifier = TextClassifier::open(model()).value();
  const std::string_view text = "the good film!";
  const auto answer = classifier.classify({&text, 1}).value();
  EXPECT_EQ(classifier.labels(), (std::vector<std::string>{"bad", "good"}));
  EXPECT_NEAR(answer.texts[0].scores[0] + answer.texts[0].scores[1], 1, 1e-6);
}

TEST_F(Import, ClipGivesWhatTransformersGives) {
  for (const std::string activation : {"quick_gelu", "gelu"}) {
    fs::remove_all(model());
    const auto source = checkpoint(
        R"({"model_type":"clip","projection_dim":12,"vision_config":{"hidden_size":32,"intermediate_size":48,)"
        R"("num_hidden_layers":2,"num_attention_heads":4,"image_size":16,"patch_size":8,"hidden_act":")" +
            activation + R"("}})",
        testing::clip_shapes());
    import_model(source, {"clip-vit", "", 0}, model()).value();
    auto engine = open_engine(model()).value();
    const auto pixels = testing::formula_weights("pixels", 2 * 3 * 16 * 16);
    std::vector<float> all;
    for (std::size_t image = 0; image < 2; ++image) {
      Tensor tensor = Tensor::allocate(DType::kFp32, Shape{3, 16, 16}).value();
      for (std::size_t i = 0; i < 768; ++i) tensor.as<float>()[i] = pixels[image * 768 + i] * 5;
      Sample sample;
      sample.push_back(tensor);
      const auto response = engine.infer(std::move(sample)).value();
      const auto values = response.outputs[0].as<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    expect_near(all, "clip-" + activation);
  }
}

TEST_F(Import, MiniLmGivesTheVectorsOfSentenceTransformers) {
  import_model(INFER_MINILM, {"bert", "", 0}, model()).value();
  EXPECT_EQ(read_manifest(model()).value().tokenizer->max_tokens, 256U);
  const auto embedder = TextEmbedder::open(model()).value();
  const auto csv = read_csv(INFER_SENTENCES).value();
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < 300; ++i) texts.push_back(csv.rows[i][0]);
  const auto embedded = embedder.embed_many(texts).value();
  const auto matrix = testing::formula_weights("projection", 384 * 8);
  std::ifstream file(INFER_REFERENCE_MINILM);
  double worst = 0;
  for (const auto& vector : embedded.vectors) {
    for (std::size_t column = 0; column < 8; ++column) {
      double sum = 0;
      for (std::size_t i = 0; i < 384; ++i)
        sum += 5.0 * static_cast<double>(vector[i]) * static_cast<double>(matrix[i * 8 + column]);
      double expected = 0;
      ASSERT_TRUE(file >> expected);
      worst = std::max(worst, std::abs(sum - expected));
    }
  }
  // Rows of the matrix have a length of about 2 on vectors of length 1: a cosine of 0.99999 would allow 0.01.
  EXPECT_LT(worst, 1e-4);
}

TEST_F(Import, EveryTensorThatDoesNotFitIsNamedAtOnce) {
  NamedShapes tensors = testing::bert_shapes("", false, 0);
  tensors.erase(tensors.begin() + 3);  // embeddings.LayerNorm.weight
  tensors[0].second = {41, 32};        // word embeddings
  tensors.push_back({"somebody.elses.weight", {2, 2}});
  const auto imported =
      import_model(checkpoint(testing::bert_config(false), tensors), {"bert", "", 0}, model());
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::kInvalidArgument);
  const std::string& text = imported.error().message;
  EXPECT_NE(text.find("3 tensors"), std::string::npos) << text;
  EXPECT_NE(text.find("missing: embeddings.LayerNorm.weight [32]"), std::string::npos) << text;
  EXPECT_NE(text.find("misshapen: embeddings.word_embeddings.weight is [41,32], expected [40,32]"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("unexpected: somebody.elses.weight [2,2]"), std::string::npos) << text;
  EXPECT_FALSE(fs::exists(model()));
}

TEST_F(Import, ConfigurationsItCannotBuildAreClearErrors) {
  const auto tensors = testing::bert_shapes("", false, 0);
  for (const auto& [config, expected] : std::vector<std::pair<std::string, std::string>>{
           {R"({"model_type":"roberta"})", "roberta"},
           {R"({"model_type":"bert","hidden_size":0})", "hidden_size: 0"},
           {R"({"model_type":"bert","vocab_size":40,"hidden_size":30,"num_attention_heads":4})",
            "not a multiple"},
           {R"({"model_type":"bert","vocab_size":40,"hidden_act":"swish2"})", "swish2"},
           {R"({"model_type":"bert","position_embedding_type":"relative_key"})", "relative_key"},
           {"{", "config.json"}}) {
    const auto imported = import_model(checkpoint(config, tensors), {"bert", "", 0}, model());
    ASSERT_FALSE(imported) << config;
    EXPECT_NE(imported.error().message.find(expected), std::string::npos) << imported.error().message;
  }
}

TEST_F(Import, APaddedTextHasTheVectorOfTheTextAlone) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  import_model(source, {"bert", "", 0}, model()).value();
  const auto embedder = TextEmbedder::open(model()).value();
  const std::vector<std::string_view> texts{"a",  "the good film", "bad . bad . bad . bad",
                                            "zz", "the",           "the good"};
  const auto together = embedder.embed_many(texts).value();
  EXPECT_GT(together.tokens, texts.size() * 3 - 1);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto alone = embedder.embed(texts[i]).value();
    for (std::size_t j = 0; j < alone.size(); ++j) ASSERT_NEAR(alone[j], together.vectors[i][j], 1e-5);
  }
}

TEST_F(Import, ATextThatIsTooLongIsCutOrRefused) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  import_model(source, {"bert", "", 8}, model()).value();
  const auto embedder = TextEmbedder::open(model()).value();
  const std::string text = "a b c d e f g h i j";
  EXPECT_EQ(embedder.embed(text).value(), embedder.embed("a b c d e f").value());
  const auto refused = embedder.embed(text, {.truncate = false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, ErrorDetail::kTooLarge);
  EXPECT_NE(refused.error().message.find("tokens, max_tokens is 8"), std::string::npos)
      << refused.error().message;
}

TEST_F(Import, AHeadLearnsWhatSeparatesTwoLabels) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  import_model(source, {"bert", "", 0}, folder_ / "base").value();
  std::string csv = "text,label\n";
  for (char c = 'a'; c <= 'z'; ++c) {
    csv += std::string("the good film ") + c + ",plus\n";
    csv += std::string("bad ") + c + " bad !,minus\n";
  }
  testing::write_text(folder_ / "data.csv", csv);
  TrainTextOptions options;
  options.base = folder_ / "base";
  options.data = folder_ / "data.csv";
  const auto report = train_text(options, model()).value();
  EXPECT_EQ(report.trained + report.held_out, 52U);
  EXPECT_GE(report.held_out, 8U);
  EXPECT_GE(report.accuracy, 0.8);  // the embedder's weights are a formula
  const auto classifier = TextClassifier::open(model()).value();
  const std::vector<std::string_view> texts{"the good film a", "bad a bad !"};
  const auto answers = classifier.classify(texts).value();
  EXPECT_EQ(classifier.labels()[answers.texts[0].label], "plus");
  EXPECT_EQ(classifier.labels()[answers.texts[1].label], "minus");
}

TEST_F(Import, WithoutAHeadTheNamesOfLabelsDecide) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  import_model(source, {"bert", "", 0}, model()).value();
  Manifest manifest = read_manifest(model()).value();
  manifest.labels = {"the good film", "zz"};
  write_manifest(manifest, model()).value();
  const auto classifier = TextClassifier::open(model()).value();
  const std::vector<std::string_view> texts{"zz", "the good film"};
  const auto answers = classifier.classify(texts).value();
  EXPECT_EQ(answers.texts[0].label, 1U);
  EXPECT_EQ(answers.texts[1].label, 0U);
}

/// Wider than the other checkpoints, since small layers stay in fp32.
NamedShapes wide_bert(const std::string& prefix, std::int64_t labels) {
  NamedShapes tensors = testing::bert_shapes(prefix, false, labels);
  for (auto& [name, shape] : tensors) {
    for (std::int64_t& dim : shape) dim = dim == 32 ? 128 : dim == 48 ? 256 : dim;
  }
  return tensors;
}

TEST_F(Import, AnInt8ModelWithASingleScoreIsComparedByIt) {
  for (const std::string problem : {"multi_label_classification", "regression"}) {
    const NamedShapes tensors = wide_bert("bert.", 1);
    const auto source = checkpoint(
        R"({"model_type":"bert","hidden_size":128,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":256,)"
        R"("vocab_size":40,"max_position_embeddings":16,"architectures":["BertForSequenceClassification"],)"
        R"("id2label":{"0":"good"},"problem_type":")" +
            problem + R"("})",
        tensors);
    const fs::path fp32 = folder_ / (problem + "-fp32");
    import_model(source, {"bert", "", 0}, fp32).value();
    const auto report = quantize_model(fp32, {}, folder_ / (problem + "-int8")).value();
    EXPECT_LT(report.least_cosine, 1 - 1e-12) << problem << ": an angle between two numbers says nothing";
    EXPECT_GT(report.least_cosine, 0.97) << problem;
  }
}

TEST_F(Import, AnInt8ModelReloadsAndStaysNear) {
  const NamedShapes tensors = wide_bert("", 0);
  const auto source = checkpoint(
      R"({"model_type":"bert","hidden_size":128,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":256,)"
      R"("vocab_size":40,"max_position_embeddings":16})",
      tensors);
  import_model(source, {"bert", "", 0}, folder_ / "fp32").value();
  testing::write_text(folder_ / "texts.txt", "the good film\nbad\na b c d\nzz zz\nthe bad film !\n");
  QuantizeOptions options;
  options.samples = folder_ / "texts.txt";
  const auto report = quantize_model(folder_ / "fp32", options, model()).value();
  EXPECT_EQ(report.quantized, 8U);
  EXPECT_EQ(report.samples, 5U);
  EXPECT_GT(report.least_cosine, 0.99);
  EXPECT_LT(report.bytes_after, report.bytes_before / 2);
  EXPECT_EQ(load_model(model()).value().version, "1+int8");
  // What shares the batch hardly matters: promise 7.
  const auto embedder = TextEmbedder::open(model()).value();
  const std::vector<std::string_view> texts{"the good film", "! ! ! ! ! ! ! !", "zz", "a", "bad bad bad bad"};
  const auto together = embedder.embed_many(texts).value();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto alone = embedder.embed(texts[i]).value();
    double cosine = 0;
    for (std::size_t j = 0; j < alone.size(); ++j)
      cosine += static_cast<double>(alone[j]) * static_cast<double>(together.vectors[i][j]);
    EXPECT_GT(cosine, 0.999);
  }
  // Into the model's own folder: a version more, which nobody gets before it is promoted.
  options.precision = "bf16";
  const auto half = quantize_model(folder_ / "fp32", options, folder_ / "fp32").value();
  EXPECT_GT(half.least_cosine, 0.9999);
  EXPECT_LT(half.bytes_after, half.bytes_before * 3 / 4);
  EXPECT_EQ(load_model(folder_ / "fp32").value().version, "1");
  EXPECT_EQ(load_model(folder_ / "fp32", {.version = "1-bf16"}).value().version, "1-bf16+bf16");
  EXPECT_EQ(read_manifest(folder_ / "fp32", "1-bf16").value().same_weights_as, "1");
  EXPECT_EQ(quantize_model(folder_ / "fp32", options, folder_ / "fp32").error().code,
            ErrorCode::kFailedPrecondition);
  options.precision = "int4";
  EXPECT_EQ(quantize_model(folder_ / "fp32", options, folder_ / "int4").error().code,
            ErrorCode::kInvalidArgument);
  options.precision = "int8";
  options.least_cosine = 0.9999999;
  const auto refused = quantize_model(folder_ / "fp32", options, folder_ / "refused");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

}  // namespace
}  // namespace infer::inline v0
