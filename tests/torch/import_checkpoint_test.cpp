#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "../src/models/torch_making.h"
#include "infer/engine/inspect.h"
#include "infer/engine/open.h"
#include "infer/models/import.h"
#include "infer/tasks/text_embedder.h"
#include "support/import_fixture.h"

// Import must obey each setting of a checkpoint or refuse it by name.

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

class ImportCheckpoint : public testing::ImportFixture {
 protected:
  fs::path plain() { return checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0)); }

  /// Expects that import fails with `expected` and leaves no files.
  void expect_refused(const fs::path& source, const std::string& expected, const std::string& arch = "bert") {
    const auto imported = import_model(source, {arch, "", 0}, model());
    ASSERT_FALSE(imported) << expected;
    EXPECT_NE(imported.error().message.find(expected), std::string::npos) << imported.error().message;
    for (const auto& entry : fs::directory_iterator(folder_))
      EXPECT_EQ(entry.path().filename(), "checkpoint") << expected;
  }
  void expect_config_refused(const std::string& keys, const std::string& expected) {
    start_again();
    std::string config = testing::bert_config(false);
    config.insert(1, keys + ",");
    expect_refused(checkpoint(config, testing::bert_shapes("", false, 0)), expected);
  }
  /// Adds a file to a valid checkpoint.
  void expect_file_refused(const std::string& name, const std::string& content, const std::string& expected) {
    start_again();
    const auto source = plain();
    testing::write_text(source / name, content);
    expect_refused(source, expected);
  }
  void expect_modules_refused(const std::vector<testing::SentenceModule>& modules,
                              const std::string& expected) {
    start_again();
    const auto source = plain();
    testing::write_modules(source, modules);
    expect_refused(source, expected);
  }
};

TEST_F(ImportCheckpoint, AKeyOfConfigThatIsNotUnderstoodIsNamed) {
  for (const auto& [keys, expected] : std::vector<std::pair<std::string, std::string>>{
           {R"("rotary_value":true)", "rotary_value: not supported"},
           {R"("is_decoder":true)", "is_decoder: true is not supported"},
           {R"("add_cross_attention":true)", "add_cross_attention"},
           {R"("pruned_heads":{"0":[1]})", "pruned_heads"},
           {R"("quantization_config":{"bits":4})", "quantization_config"},
           {R"("auto_map":{"AutoModel":"x.Y"})", "auto_map"},
           {R"("position_embedding_type":"relative_key_query")", "relative_key_query"},
           {R"("num_hidden_layers":"2")", "num_hidden_layers"},
           {R"("num_hidden_layers":2.5)", "num_hidden_layers"},
           {R"("hidden_act":7)", "hidden_act"},
           {R"("tokenizer_class":"BertJapaneseTokenizer")", "BertJapaneseTokenizer"},
           {R"("task_specific_params":{"text-classification":{"problem_type":"multi_label_classification"}},)"
            R"("architectures":["BertForSequenceClassification"])",
            "task_specific_params"},
           {R"("problem_type":"ranking","architectures":["BertForSequenceClassification"])", "problem_type"},
           {R"("architectures":["BertForTokenClassification"])", "BertForTokenClassification"},
           {R"("architectures":["BertForQuestionAnswering"])", "BertForQuestionAnswering"},
           {R"("architectures":["BertForMultipleChoice"])", "BertForMultipleChoice"},
           {R"("architectures":["DistilBertModel"])", "DistilBertModel"}})
    expect_config_refused(keys, expected);
}

TEST_F(ImportCheckpoint, ANormalisationAddsNothingNegative) {
  for (const char* value : {"-1", "-1e-12"}) {
    start_again();
    std::string config = testing::bert_config(false);
    config.replace(config.find("1e-12"), 5, value);
    expect_refused(checkpoint(config, testing::bert_shapes("", false, 0)), "layer_norm_eps: -");
  }
}

TEST_F(ImportCheckpoint, KeysThatChangeNoNumberAreTaken) {
  std::string config = testing::bert_config(false);
  config.insert(
      1, R"("architectures":["BertModel"],"_name_or_path":"x","torch_dtype":"float32","use_cache":true,)"
         R"("attention_probs_dropout_prob":0.1,"is_decoder":false,"pruned_heads":{},"something_new":null,)");
  const auto source = checkpoint(config, testing::bert_shapes("", false, 0));
  // transformers 5 writes a huge number for no limit.
  testing::write_text(source / "tokenizer_config.json",
                      R"({"model_max_length":1000000000000000019884624838656,"do_lower_case":false,)"
                      R"("tokenizer_class":"BertTokenizer","unk_token":"[UNK]"})");
  const auto imported = import_model(source, {"bert", "", 0}, model());
  ASSERT_TRUE(imported) << imported.error().message;
  const Manifest manifest = read_manifest(model()).value();
  EXPECT_FALSE(manifest.tokenizer->lowercase);
  EXPECT_EQ(manifest.tokenizer->max_tokens, 16U);
}

TEST_F(ImportCheckpoint, TheManifestSaysWhatTokenIdsThereAre) {
  import_model(plain(), {"bert", "", 0}, model()).value();
  const Manifest manifest = read_manifest(model()).value();
  ASSERT_TRUE(manifest.inputs[0].range);
  EXPECT_EQ(manifest.inputs[0].range->least, 0);
  EXPECT_EQ(manifest.inputs[0].range->greatest, 39);
  EXPECT_EQ(manifest.inputs[0].max_shape, Shape{16});
  EXPECT_EQ(manifest.inputs[1].same_shape_as, "input_ids");
}

TEST_F(ImportCheckpoint, LabelsThatDoNotFitTheHeadAreNamed) {
  for (const auto& [keys, expected] : std::vector<std::pair<std::string, std::string>>{
           {R"("id2label":{"0":"a","1":"b"})", "id2label: 2 labels, but classifier.weight has 3 rows"},
           {R"("id2label":{"0":"a","1":"b","2":"a"})", "two labels have the name 'a'"},
           {R"("num_labels":2)", "num_labels: 2 labels"}}) {
    start_again();
    std::string config = testing::bert_config(false);
    config.insert(1, keys + ",");
    expect_refused(checkpoint(config, testing::bert_shapes("bert.", false, 3)), expected);
  }
}

TEST_F(ImportCheckpoint, ModulesThatCannotBeBuiltAreNamed) {
  const testing::SentenceModule mean{"Pooling", "1_Pooling", R"({"pooling_mode_mean_tokens":true})", {}};
  expect_modules_refused({mean, {"WordWeights", "2_WordWeights", "{}", {}}}, "WordWeights");
  expect_modules_refused({{"LSTM", "1_LSTM", "{}", {}}}, "LSTM");
  expect_modules_refused({}, "no Transformer followed by Pooling");
  expect_modules_refused({{"Pooling", "1_Pooling", R"({"pooling_mode":"median"})", {}}}, "median");
  expect_modules_refused({{"Pooling", "1_Pooling", R"({"pooling_mode_attention":true})", {}}},
                         "pooling_mode_attention");
  expect_modules_refused({{"Pooling", "1_Pooling", R"({"pooling_mode":[]})", {}}}, "no pooling is chosen");
  expect_modules_refused({{"Pooling", "1_Pooling", R"({"pooling_mode_mean_tokens":false})", {}}},
                         "no pooling is chosen");
  expect_modules_refused({{"Pooling", "1_Pooling", R"({"word_embedding_dimension":64})", {}}}, "64");
  expect_modules_refused({{"Pooling", "1_Pooling", "", {}}}, "1_Pooling/config.json");
  expect_modules_refused({mean, {"Dense", "2_Dense", R"({"in_features":16,"out_features":8})", {}}},
                         "in_features");
  expect_modules_refused({mean, {"Dense", "2_Dense", R"({"in_features":32,"out_features":8})", {}}},
                         "2_Dense");
  expect_modules_refused(
      {mean,
       {"Dense",
        "2_Dense",
        R"({"in_features":32,"out_features":8,"activation_function":"torch.nn.modules.activation.Mish"})",
        {{"2_Dense/linear.weight", {8, 32}}, {"2_Dense/linear.bias", {8}}}}},
      "Mish");
  expect_modules_refused({mean,
                          {"Dense",
                           "2_Dense",
                           R"({"in_features":32,"out_features":8,"use_residual":true})",
                           {{"2_Dense/linear.weight", {8, 32}}, {"2_Dense/linear.bias", {8}}}}},
                         "use_residual");
  expect_file_refused("modules.json", R"([{"path":"","type":"custom_code.MyTransformer"}])", "custom_code");
  expect_file_refused("config_sentence_transformers.json",
                      R"({"prompts":{"query":"query: "},"default_prompt_name":"query"})",
                      "default_prompt_name");
}

TEST_F(ImportCheckpoint, AVocabularyThatDoesNotFitIsRefused) {
  std::string fewer = testing::small_vocabulary();
  fewer.resize(fewer.size() - 5);  // "film\n"
  expect_file_refused("vocab.txt", fewer,
                      "the vocabulary has 39 tokens, but vocab_size in config.json is 40");
  expect_file_refused("vocab.txt", testing::small_vocabulary() + "more\n", "41 tokens");
  std::string twice = testing::small_vocabulary();
  twice.replace(twice.find("film"), 4, "good");
  expect_file_refused("vocab.txt", twice, "'good' occurs twice");
  expect_file_refused("added_tokens.json", R"({"<special>":40})", "added_tokens.json");
  expect_file_refused("tokenizer_config.json", R"({"tokenize_chinese_chars":false})",
                      "tokenize_chinese_chars");
  expect_file_refused("tokenizer_config.json", R"({"tokenizer_class":"BertJapaneseTokenizer"})",
                      "BertJapaneseTokenizer");
  expect_file_refused("tokenizer_config.json", R"({"cls_token":"<s>"})", "cls_token");
  expect_file_refused("special_tokens_map.json", R"({"cls_token":{"content":"<s>","lstrip":false}})",
                      "cls_token");
  expect_file_refused("special_tokens_map.json", R"({"additional_special_tokens":["<e1>"]})", "<e1>");
  expect_file_refused("special_tokens_map.json", R"({"image_token":"<image>"})", "image_token");
}

/// Returns tokenizer.json of the small vocabulary.
std::string tokenizer_json(const std::string& normalizer) {
  std::string vocab;
  std::istringstream lines(testing::small_vocabulary());
  std::size_t id = 0;
  for (std::string token; std::getline(lines, token);)
    vocab += (vocab.empty() ? "\"" : ",\"") + token + "\":" + std::to_string(id++);
  return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"[PAD]",)"
         R"("single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":)" +
         normalizer +
         R"(,"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"TemplateProcessing","single":[)"
         R"({"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},)"
         R"({"SpecialToken":{"id":"[SEP]","type_id":0}}],"pair":[],"special_tokens":{}},)"
         R"("decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":"WordPiece",)"
         R"("unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{)" +
         vocab + "}}}";
}

TEST_F(ImportCheckpoint, TokenizerJsonIsReadWhereThereIsNoVocabTxt) {
  const auto source = plain();
  import_model(source, {"bert", "", 0}, folder_ / "lines").value();
  fs::remove(source / "vocab.txt");
  testing::write_text(
      source / "tokenizer.json",
      tokenizer_json(R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
                     R"("strip_accents":null,"lowercase":true})"));
  const auto imported = import_model(source, {"bert", "", 0}, model());
  ASSERT_TRUE(imported) << imported.error().message;
  const std::string_view text = "The GOOD film, bad!";
  EXPECT_EQ(TextEmbedder::open(model()).value().embed(text).value(),
            TextEmbedder::open(folder_ / "lines").value().embed(text).value());
}

TEST_F(ImportCheckpoint, SettingsOfTokenizerJsonAreObeyedOrRefused) {
  const auto json = [](const std::string& settings) {
    return tokenizer_json(R"({"type":"BertNormalizer",)" + settings + "}");
  };
  const auto source = plain();
  testing::write_text(source / "tokenizer.json", json(R"("lowercase":false,"strip_accents":true)"));
  import_model(source, {"bert", "", 0}, model()).value();
  EXPECT_FALSE(read_manifest(model()).value().tokenizer->lowercase);
  EXPECT_EQ(read_manifest(model()).value().tokenizer->strip_accents, true);
  expect_file_refused("tokenizer.json", json(R"("handle_chinese_chars":false)"), "handle_chinese_chars");
  expect_file_refused("tokenizer.json", json(R"("clean_text":false)"), "clean_text");
  expect_file_refused("tokenizer.json", tokenizer_json("null"), "normalizer");
  expect_file_refused("tokenizer.json", tokenizer_json(R"({"type":"NFKC"})"), "NFKC");
  std::string other = json(R"("lowercase":true)");
  other.replace(other.find("\"film\""), 6, "\"wood\"");
  expect_file_refused("tokenizer.json", other, "line 40 differs from tokenizer.json");
}

TEST_F(ImportCheckpoint, OldNamesOfLayerNormsAreRead) {
  const auto source = plain();
  import_model(source, {"bert", "", 0}, folder_ / "new").value();
  std::string bytes = testing::safetensors_bytes(testing::bert_shapes("", false, 0));
  for (const auto& [now, old] : {std::pair{"LayerNorm.weight\"", "LayerNorm.gamma\" "},
                                 std::pair{"LayerNorm.bias\"", "LayerNorm.beta\""}}) {
    for (std::size_t at = bytes.find(now); at != std::string::npos; at = bytes.find(now))
      bytes.replace(at, std::string_view(now).size(), old);
  }
  testing::write_text(source / "model.safetensors", bytes);
  const auto imported = import_model(source, {"bert", "", 0}, model());
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(TextEmbedder::open(model()).value().embed("the good film").value(),
            TextEmbedder::open(folder_ / "new").value().embed("the good film").value());
}

TEST_F(ImportCheckpoint, AMissingShardIsNamed) {
  const auto source = plain();
  fs::rename(source / "model.safetensors", source / "model-00001-of-00002.safetensors");
  expect_refused(source, "model-00002-of-00002.safetensors: the shard is missing");
  testing::write_text(
      source / "model.safetensors.index.json",
      R"({"metadata":{},"weight_map":{"pooler.dense.bias":"model-00002-of-00002.safetensors"}})");
  expect_refused(source, "model-00002-of-00002.safetensors: the shard is missing");
  testing::write_text(source / "model.safetensors.index.json",
                      R"({"weight_map":{"pooler.dense.bias":"model-00001-of-00002.safetensors"}})");
  expect_refused(source, "pooler.dense.bias: is missing");
  testing::write_text(source / "model.safetensors.index.json", R"({"weight_map":{"a":"../x.safetensors"}})");
  expect_refused(source, "plain file name");
}

TEST_F(ImportCheckpoint, AGitLfsPointerIsCalledOne) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 90868376\n";
  for (const char* name : {"model.safetensors", "config.json", "vocab.txt", "tokenizer.json", "modules.json"})
    expect_file_refused(name, pointer, std::string(name) + ": is a Git LFS pointer");
}

TEST_F(ImportCheckpoint, WeightsThatAreNotFiniteAreNamed) {
  const auto source = plain();
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::string bytes = testing::safetensors_bytes(testing::bert_shapes("", false, 0));
    std::memcpy(bytes.data() + bytes.size() - 8, &value, sizeof value);
    testing::write_text(source / "model.safetensors", bytes);
    expect_refused(source,
                   "encoder.layer.1.output.LayerNorm.bias contains NaN or infinity, first at element 30");
  }
}

TEST_F(ImportCheckpoint, InspectionFindsWeightsThatAreNotFinite) {
  import_model(plain(), {"bert", "", 0}, model()).value();
  const fs::path embedder = model() / "1" / "model.pt";
  EXPECT_TRUE(inspect_torchscript(embedder).value().non_finite.empty());
  std::vector<float> weight(32, 1);
  weight[7] = std::numeric_limits<float>::quiet_NaN();
  libtorch::build_text_head(embedder, weight, {0}, folder_ / "head.pt").value();
  EXPECT_EQ(inspect_torchscript(folder_ / "head.pt").value().non_finite,
            std::vector<std::string>{"head_weight"});
}

TEST_F(ImportCheckpoint, OtherKindsOfCheckpointsAreNamed) {
  const auto source = plain();
  testing::write_text(source / "adapter_config.json", "{}");
  expect_refused(source, "adapter");
  fs::remove(source / "adapter_config.json");
  fs::rename(source / "model.safetensors", source / "pytorch_model.bin");
  expect_refused(source, "pickled");
  expect_config_refused(R"("model_type":"roberta")", "model_type");
}

}  // namespace
}  // namespace infer::inline v0
