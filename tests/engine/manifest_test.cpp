#include "infer/engine/manifest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/version_order.h"
#include "infer/engine/model.h"
#include "infer/engine/open.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

std::string error_of(std::string_view json) {
  const auto manifest = parse_manifest(json);
  return manifest ? "" : manifest.error().message;
}

TEST(Manifest, ReadsAllThatTheEngineNeeds) {
  const auto manifest = parse_manifest(R"({"task": "image-embedding", "backend": "scripted", "file": "a.json",
      "inputs": [{"name": "x", "dtype": "UINT8", "shape": [3, -1]}], "outputs": [{"name": "y", "dtype": "FP32", "shape": [2]}],
      "preprocess": {"size": 32, "mean": [0.5, 0.5, 0.5], "std": [0.1, 0.2, 0.3]}, "labels": ["a", "b"],
      "precision": "int8", "weights": "random", "source": {"anything": 1}, "sha256": {"a.json":
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      "batch": {"max_batch_size": 4, "allowed_batch_sizes": [1, 4], "max_queue_delay_ms": 1.5, "max_queue_size": 9,
      "max_batch_cost": 7}, "workers": 2, "intra_op_threads": 1, "warmup": "full"})");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->inputs[0].shape, (Shape{3, -1}));
  EXPECT_EQ(manifest->preprocess->size, 32u);
  EXPECT_EQ(manifest->labels.size(), 2u);
  const auto options = engine_options(*manifest, {}, 2).value();
  EXPECT_EQ(options.batch.max_batch_size, 4u);
  EXPECT_EQ(options.batch.max_queue_delay.count(), 1500);
  EXPECT_EQ(options.batch.max_queue_size, 9u);
  EXPECT_EQ(options.batch.max_batch_cost, 7u);
  EXPECT_EQ(options.threads.workers, 2u);
  EXPECT_EQ(options.warmup, Warmup::kFull);
}

TEST(Manifest, WhatIsWrittenReadsBackTheSame) {
  Manifest manifest;
  manifest.task = "text-classification";
  manifest.inputs = {{"input_ids", DType::kInt64, Shape{-1}},
                     {.name = "mask", .dtype = DType::kInt64, .shape = Shape{-1}}};
  manifest.inputs[0].range = ValueRange{0, 30521};
  manifest.inputs[0].max_shape = Shape{512};
  manifest.inputs[1].same_shape_as = "input_ids";
  manifest.outputs = {{"logits", DType::kFp32, Shape{2}}};
  manifest.tokenizer = TokenizerSpec{"words.txt", false, true, 77};
  manifest.series =
      SeriesSpec{{"a", "b"}, 1, {"year_sin"}, 12, 3, "day", 86400, 0, {0.1, 1e300, 0}, {1, 2.5, 1}};
  manifest.preprocess = ImagePreprocess{.size = 64};
  manifest.labels = {"a \"quoted\" \\ label", "zwei\n"};
  manifest.precision = "int8";
  manifest.weights = "trained";
  manifest.source = R"({"seed":1})";
  manifest.sha256["model.pt"] = std::string(64, 'a');
  manifest.max_batch_size = 32;
  manifest.allowed_batch_sizes.emplace();
  manifest.allowed_lengths = {32, 77};
  manifest.max_batch_cost = 1024;
  manifest.max_queue_delay = std::chrono::microseconds(500);
  manifest.warmup = Warmup::kNone;
  manifest.version_policy = "specific";
  manifest.versions = {"1", "2-b"};
  const std::string text = manifest_json(manifest);
  const auto read = parse_manifest(text);
  ASSERT_TRUE(read) << read.error().message << text;
  EXPECT_EQ(manifest_json(*read), text);
  EXPECT_EQ(read->inputs[0].range->greatest, 30521);
  EXPECT_EQ(read->inputs[0].max_shape, Shape{512});
  EXPECT_EQ(read->inputs[1].same_shape_as, "input_ids");
  EXPECT_FALSE(read->inputs[1].range);
  EXPECT_EQ(read->labels, manifest.labels);
  EXPECT_EQ(read->series->mean, manifest.series->mean);
  EXPECT_EQ(read->tokenizer->strip_accents, true);
  EXPECT_TRUE(read->allowed_batch_sizes && read->allowed_batch_sizes->empty());
}

TEST(Manifest, PartsOfTextsAndSeriesAreChecked) {
  EXPECT_NE(error_of(R"({"tokenizer": {"vocab": "../x"}})").find("tokenizer.vocab"), std::string::npos);
  EXPECT_NE(error_of(R"({"tokenizer": {"max_tokens": 1}})").find("2 to 65536"), std::string::npos);
  EXPECT_NE(error_of(R"({"tokenizer": {"vocabulary": "x"}})").find("tokenizer.vocab'"), std::string::npos);
  EXPECT_NE(error_of(R"({"series": {"columns": []}})").find("must name a column"), std::string::npos);
  EXPECT_NE(error_of(R"({"series": {"columns": ["a"], "targets": 2}})").find("series.targets: 2"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"series": {"columns": ["a"], "mean": [0], "scale": [0]}})").find("must be positive"),
            std::string::npos);
  EXPECT_NE(
      error_of(R"({"series": {"columns": ["a"], "mean": [], "scale": [1]}})").find("one number for each"),
      std::string::npos);
  EXPECT_NE(error_of(R"({"sha256": {"a": "00"}})").find("64 hexadecimal"), std::string::npos);
  EXPECT_NE(error_of(R"({"batch": {"allowed_lengths": [64, 32]}})").find("ascending"), std::string::npos);
}

TEST(Manifest, BoundsOfInputsAreChecked) {
  const auto input = [](const std::string& more) {
    return error_of(R"({"inputs": [{"name": "x", "dtype": "INT64", "shape": [-1], )" + more + "}]}");
  };
  EXPECT_EQ(input(R"("range": [-3, 3], "max_shape": [-1])"), "");
  EXPECT_EQ(input(R"("range": [4, 3])"),
            "infer.json: inputs[0].range: the least, 4, exceeds the greatest, 3");
  EXPECT_NE(input(R"("range": [0.5, 3])").find("two whole numbers"), std::string::npos);
  EXPECT_NE(input(R"("range": [1, 2, 3])").find("two whole numbers"), std::string::npos);
  EXPECT_NE(input(R"("dtype": "FP32", "range": [1, 2])").find("needs an integer dtype; x is FP32"),
            std::string::npos);
  EXPECT_NE(input(R"("max_shape": [1, 2])").find("[1,2] must have as many dimensions"), std::string::npos);
  EXPECT_NE(input(R"("same_shape_as": "y")").find("'y' is not an input"), std::string::npos);
  EXPECT_NE(error_of(R"({"outputs": [{"name": "y", "dtype": "INT64", "shape": [1], "range": [0, 1]}]})")
                .find("outputs[0]: range, max_shape and same_shape_as are for inputs"),
            std::string::npos);
}

TEST(Signature, WhatAModelCannotTakeIsNamedBeforeAForward) {
  ModelSignature signature;
  signature.inputs = {{"ids", DType::kInt64, Shape{-1}}, {"mask", DType::kInt64, Shape{-1}}};
  signature.inputs[0].range = ValueRange{0, 99};
  signature.inputs[0].max_shape = Shape{4};
  signature.inputs[1].same_shape_as = "ids";
  const auto error = [&](std::vector<std::int64_t> ids, std::size_t mask) -> std::string {
    Sample sample;
    sample.push_back(Tensor::allocate(DType::kInt64, Shape{static_cast<std::int64_t>(ids.size())}).value());
    std::copy(ids.begin(), ids.end(), sample[0].as<std::int64_t>().begin());
    sample.push_back(Tensor::allocate(DType::kInt64, Shape{static_cast<std::int64_t>(mask)}).value());
    const auto checked = check_sample(signature, sample);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(error({0, 99, 5, 7}, 4), "");
  EXPECT_EQ(error({0, 100}, 2), "ids[1]: 100 is outside 0 to 99, the range that the model takes");
  EXPECT_EQ(error({-1}, 1), "ids[0]: -1 is outside 0 to 99, the range that the model takes");
  EXPECT_EQ(error({1, 2, 3, 4, 5}, 5), "ids: shape [5] exceeds [4], the most that the model takes");
  EXPECT_EQ(error({1, 2}, 3), "mask: shape [3] is not [2], the shape of ids");

  signature.inputs.resize(1);
  signature.inputs[0].dtype = DType::kUint64;
  Sample huge{Tensor::allocate(DType::kUint64, Shape{1}).value()};
  huge[0].as<std::uint64_t>()[0] = ~std::uint64_t{0};
  EXPECT_FALSE(check_sample(signature, huge)) << "not -1";
}

TEST(Manifest, WhatTheCallerWantsComesBeforeTheManifest) {
  const auto manifest = parse_manifest(R"({"batch": {"max_batch_size": 4}, "workers": 2})").value();
  OpenOptions wanted;
  wanted.max_batch_size = 16;
  wanted.workers = 1;
  const auto options = engine_options(manifest, wanted, 2).value();
  EXPECT_EQ(options.batch.max_batch_size, 16u);
  EXPECT_EQ(options.batch.allowed_batch_sizes, (std::vector<std::size_t>{1, 2, 4, 8, 16}));
  EXPECT_EQ(options.threads.workers, 1u);
  EXPECT_EQ(options.threads.intra_op_threads, 2u);
}

TEST(Manifest, AnUnknownKeyNamesTheNearestKnownOne) {
  EXPECT_EQ(error_of(R"({"taks": "raw"})"), "infer.json: unknown key 'taks'; did you mean 'task'?");
  EXPECT_EQ(error_of(R"({"batch": {"max_batchsize": 4}})"),
            "infer.json: unknown key 'batch.max_batchsize'; did you mean 'batch.max_batch_size'?");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "x", "dtpye": "FP32", "shape": [1]}]})"),
            "infer.json: unknown key 'inputs[0].dtpye'; did you mean 'inputs[0].dtype'?");
}

TEST(Manifest, BadValuesNameTheKey) {
  EXPECT_EQ(error_of("{").substr(0, 22), "infer.json: not JSON: ");
  EXPECT_EQ(error_of("[]"), "infer.json: must be an object");
  EXPECT_EQ(error_of(R"({"workers": -1})"), "infer.json: workers: '-1' is not a whole number from 0 to 1024");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "x", "dtype": "float", "shape": [1]}]})"),
            "infer.json: inputs[0].dtype: unknown dtype 'float'");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "x", "dtype": "FP32"}]})"),
            "infer.json: inputs[0]: needs a shape");
  EXPECT_EQ(error_of(R"({"preprocess": {"std": [0, 1, 1]}})"),
            "infer.json: preprocess.std: must be positive");
  EXPECT_EQ(error_of(R"({"file": "../../etc/passwd"})"), "infer.json: file: must be a plain file name");
}

TEST(Manifest, AFileNameIsPlainAndHoldsNoNul) {
  for (const char* name :
       {R"(..)", R"(.)", R"(a/b)", R"(/etc/passwd)", R"(model.pt\u0000.txt)", R"(\u0000)"}) {
    EXPECT_NE(error_of(std::string(R"({"file": ")") + name + "\"}").find("infer.json: file: "),
              std::string::npos)
        << name;
    EXPECT_NE(error_of(std::string(R"({"tokenizer": {"vocab": ")") + name + "\"}}")
                  .find("infer.json: tokenizer.vocab: "),
              std::string::npos)
        << name;
    EXPECT_NE(error_of(std::string(R"({"sha256": {")") + name + "\": \"" + std::string(64, 'a') + "\"}}")
                  .find("infer.json: sha256."),
              std::string::npos)
        << name;
  }
  EXPECT_NE(error_of(R"({"labels": ["a", "b\u0000c"]})").find("contains a NUL character"), std::string::npos);
  EXPECT_NE(error_of(R"({"same_weights_as": "1\u0000"})").find("contains a NUL character"),
            std::string::npos);
}

class ModelFolder : public ::testing::Test {
 protected:
  ModelFolder() : root_(fs::temp_directory_path() / ("infer-models-" + std::to_string(getpid()))) {
    fs::remove_all(root_);
  }
  ~ModelFolder() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  static constexpr const char* kManifest =
      R"({"backend": "scripted", "file": "m.json", "inputs": [{"name": "x", "dtype": "FP32", "shape": [4]}],
          "outputs": [{"name": "y", "dtype": "FP32", "shape": [4]}]})";
  fs::path root_;
};

TEST_F(ModelFolder, TheHighestNumberIsServedUnlessAnotherIsPromoted) {
  write("m/infer.json", kManifest);
  for (const char* version : {"1", "2", "10"}) write(std::string("m/") + version + "/m.json", "{}");
  EXPECT_EQ(load_model(root_ / "m").value().version, "10");
  write("m/PROMOTED", "2 \r\n");
  EXPECT_EQ(load_model(root_ / "m").value().version, "2");
  write("m/PROMOTED", "3\n");
  EXPECT_EQ(load_model(root_ / "m").error().code, ErrorCode::kNotFound);
  write("m/PROMOTED", "../x\n");
  EXPECT_EQ(load_model(root_ / "m").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelFolder, WhereAVersionIsPromotedNoOtherIsServedWhateverIsWrong) {
  write("m/infer.json", kManifest);
  for (const char* version : {"1", "2"}) write(std::string("m/") + version + "/m.json", "{}");
  fs::create_directories(root_ / "m/PROMOTED");
  EXPECT_EQ(choose_version(root_ / "m").error().code, ErrorCode::kFailedPrecondition);
  fs::remove(root_ / "m/PROMOTED");
  fs::create_symlink("nowhere", root_ / "m/PROMOTED");
  EXPECT_EQ(choose_version(root_ / "m").error().code, ErrorCode::kFailedPrecondition);
  fs::remove(root_ / "m/PROMOTED");
  write("m/PROMOTED", "");
  EXPECT_EQ(choose_version(root_ / "m").error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(ModelFolder, HiddenFoldersAreNoVersions) {
  write("m/infer.json", kManifest);
  write("m/prod/m.json", "{}");
  for (const char* hidden : {".git", "..data", ".9"}) fs::create_directories(root_ / "m" / hidden);
  EXPECT_EQ(choose_version(root_ / "m").value(), "prod");
}

TEST(Versions, AreOrderedAsPeopleCount) {
  // Each before the next.
  for (const std::vector<std::string>& ascending : std::vector<std::vector<std::string>>{
           {"1", "2", "9", "10", "11", "100"},
           {"1.9", "1.10", "2", "2.0", "2.0.1"},
           {"9-gru", "10-gru", "10-naive", "12-gru", "12"},
           {"1-int8", "1", "2-int8", "2"},
           {"v9", "v10", "v10.2", "v10.11"},
           {"prod-int8", "prod", "prod2", "0"},
           {"20251231235959", "20260101000000", "99999999999999999999998", "99999999999999999999999"},
           {"2025-12-31", "2026-01-02", "2026-01-10"},
           {"1.0-rc2", "1.0-rc10", "1.0", "1.0.1-rc1", "1.0.1"},
           {"latest", "7"},
           {"01", "1", "02", "2"}}) {
    for (std::size_t i = 0; i < ascending.size(); ++i) {
      for (std::size_t j = 0; j < ascending.size(); ++j)
        EXPECT_EQ(version_before(ascending[i], ascending[j]), i < j) << ascending[i] << " " << ascending[j];
    }
  }
}

TEST_F(ModelFolder, WhatIsMissingIsNamed) {
  EXPECT_EQ(load_model(root_ / "none").error().code, ErrorCode::kNotFound);
  write("m/infer.json", kManifest);
  EXPECT_EQ(load_model(root_ / "m").error().message, (root_ / "m").string() + ": has no version folder");
  fs::create_directories(root_ / "m/1");
  EXPECT_EQ(load_model(root_ / "m").error().message, (root_ / "m/1/m.json").string() + ": no such file");
  write("bad name/infer.json", kManifest);
  fs::create_directories(root_ / "bad name/1");
  EXPECT_EQ(load_model(root_ / "bad name").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelFolder, AnUnknownBackendListsTheOnesThereAre) {
  write("m/infer.json", R"({"backend": "onnx"})");
  fs::create_directories(root_ / "m/1");
  const auto model = load_model(root_ / "m");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kUnimplemented);
  EXPECT_NE(model.error().message.find("scripted"), std::string::npos);
}

TEST_F(ModelFolder, ThePrecisionShowsInTheVersion) {
  write("m/infer.json", std::string(R"({"precision": "int8", )") + (kManifest + 1));
  write("m/1/m.json", "{}");
  EXPECT_EQ(load_model(root_ / "m").value().version, "1+int8");
}

}  // namespace
}  // namespace infer
