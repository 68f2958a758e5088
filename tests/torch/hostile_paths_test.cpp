#include <gtest/gtest.h>
#include <sys/fsuid.h>

#include <fstream>
#include <functional>

#include "infer/c.h"
#include "infer/engine/inspect.h"
#include "infer/engine/open.h"
#include "infer/engine/tuned.h"
#include "infer/models/clip_vit.h"
#include "infer/models/import.h"
#include "infer/models/quantize.h"
#include "infer/models/simulator.h"
#include "infer/models/train_forecast.h"
#include "infer/models/train_text.h"
#include "infer/series/series.h"
#include "infer/serving/api_keys.h"
#include "infer/serving/model_repository.h"
#include "infer/tasks/forecaster.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "infer/text/wordpiece.h"
#include "infer/weights/safetensors.h"
#include "support/import_fixture.h"

// A Result promises no exception: whatever the path, every public function that takes one must return an
// Error.

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
using Call = std::function<std::optional<Error>(const fs::path&)>;

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

std::optional<Error> c_error(infer_code code) {
  return code == INFER_OK ? std::nullopt : std::optional(Error{ErrorCode::kInternal, infer_code_name(code)});
}

std::optional<Error> repository_error(std::vector<std::string> models, const fs::path& folder) {
  RepositoryOptions options;
  options.models = std::move(models);
  options.folder = folder.string();
  return error_of(ModelRepository(options, nullptr, {}).load());
}

class HostilePaths : public testing::ImportFixture {
 protected:
  /// Paths that cannot be read, each for another reason.
  std::vector<fs::path> unreadable() {
    std::ofstream(folder_ / "file") << "no JSON";
    fs::create_symlink("loop_b", folder_ / "loop_a");
    fs::create_symlink("loop_a", folder_ / "loop_b");
    fs::create_symlink("gone", folder_ / "dangling");
    fs::create_directories(folder_ / "empty");
    // Models with missing or broken parts.
    fs::create_directories(folder_ / "looping_manifest/1");
    fs::create_symlink("infer.json", folder_ / "looping_manifest/infer.json");
    fs::create_directories(folder_ / "folder_manifest/infer.json");
    fs::create_directories(folder_ / "folder_manifest/1");
    fs::create_directories(folder_ / "looping_version");
    std::ofstream(folder_ / "looping_version/infer.json") << R"({"task":"raw"})";
    fs::create_symlink("1", folder_ / "looping_version/1");
    fs::create_directories(folder_ / "looping_weights/1");
    std::ofstream(folder_ / "looping_weights/infer.json") << R"({"task":"raw"})";
    fs::create_symlink("model.pt", folder_ / "looping_weights/1/model.pt");
    fs::create_directories(folder_ / "folder_weights/1/model.pt");
    std::ofstream(folder_ / "folder_weights/infer.json") << R"({"task":"raw"})";
    fs::create_directories(folder_ / "looping_promoted/1");
    std::ofstream(folder_ / "looping_promoted/infer.json") << R"({"task":"raw","versions":["1"]})";
    fs::create_symlink("PROMOTED", folder_ / "looping_promoted/PROMOTED");
    fs::create_directories(folder_ / "looping_config");
    fs::create_symlink("config.json", folder_ / "looping_config/config.json");
    fs::create_symlink("modules.json", folder_ / "looping_config/modules.json");
    std::vector<fs::path> paths{"",
                                "/proc/self/mem",
                                "/proc/self/mem/x",
                                "/dev/null",
                                std::string(5000, 'x'),
                                folder_ / std::string(300, 'y'),
                                folder_ / "file/inside",
                                folder_ / "loop_a/inside"};
    for (const char* name :
         {"file", "loop_a", "dangling", "empty", "looping_manifest", "folder_manifest", "looping_version",
          "looping_weights", "folder_weights", "looping_config", "looping_promoted", "gone"})
      paths.push_back(folder_ / name);
    return paths;
  }
};

TEST_F(HostilePaths, EveryFunctionThatReadsGivesAnError) {
  SeriesColumns columns;
  columns.targets = {"y"};
  const std::vector<std::pair<std::string, Call>> calls{
      {"load_model", [](const fs::path& p) { return error_of(load_model(p)); }},
      {"open_engine", [](const fs::path& p) { return error_of(open_engine(p)); }},
      {"ImageEmbedder", [](const fs::path& p) { return error_of(ImageEmbedder::open(p)); }},
      {"TextEmbedder", [](const fs::path& p) { return error_of(TextEmbedder::open(p)); }},
      {"TextClassifier", [](const fs::path& p) { return error_of(TextClassifier::open(p)); }},
      {"Forecaster", [](const fs::path& p) { return error_of(Forecaster::open(p)); }},
      {"read_safetensors", [](const fs::path& p) { return error_of(read_safetensors(p)); }},
      {"inspect_torchscript", [](const fs::path& p) { return error_of(inspect_torchscript(p)); }},
      {"read_tuned", [](const fs::path& p) { return error_of(read_tuned(p)); }},
      {"read_series", [&](const fs::path& p) { return error_of(read_series(p, columns)); }},
      {"read_leaderboard", [](const fs::path& p) { return error_of(read_leaderboard(p)); }},
      {"promote", [](const fs::path& p) { return error_of(promote(p, "2")); }},
      {"ModelRepository", [](const fs::path& p) { return repository_error({p.string()}, ""); }},
      {"ApiKeys", [](const fs::path& p) { return error_of(ApiKeys(p).load_if_changed()); }},
      {"infer_embedder_open",
       [](const fs::path& p) {
         infer_embedder* embedder = nullptr;
         return c_error(infer_embedder_open(p.c_str(), nullptr, &embedder, nullptr));
       }},
      {"infer_engine_open",
       [](const fs::path& p) {
         infer_engine* engine = nullptr;
         return c_error(infer_engine_open(p.c_str(), nullptr, &engine, nullptr));
       }},
      {"WordPiece", [](const fs::path& p) { return error_of(WordPiece::open(p, {})); }},
      {"import_model",
       [&](const fs::path& p) {
         return error_of(import_model(p, {"bert", "", 0}, folder_ / "out"));
       }},
      {"import_model clip",
       [&](const fs::path& p) {
         return error_of(import_model(p, {"clip-vit", "", 0}, folder_ / "out"));
       }},
      {"quantize_model", [&](const fs::path& p) { return error_of(quantize_model(p, {}, folder_ / "out")); }},
      {"train_text",
       [&](const fs::path& p) {
         TrainTextOptions options;
         options.base = options.data = p;
         return error_of(train_text(options, folder_ / "out"));
       }},
      {"train_forecast", [&](const fs::path& p) {
         TrainForecastOptions options;
         options.data = p;
         options.columns = columns;
         return error_of(train_forecast(options, folder_ / "out"));
       }}};
  for (const fs::path& path : unreadable()) {
    for (const auto& [name, call] : calls) {
      std::optional<Error> error;
      ASSERT_NO_THROW(error = call(path)) << name << " " << path;
      EXPECT_TRUE(error) << name << " " << path;
    }
    // These calls may find something but must not throw.
    EXPECT_NO_THROW({
      (void)read_manifest(path);
      (void)read_manifest(path, "1");
      (void)choose_version(path);
      (void)served_versions(path);
    }) << path;
  }
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

/// Removes root's right to open every file from this thread during the object's lifetime.
class Nobody {
 public:
  Nobody() { setfsuid(65534); }
  ~Nobody() { setfsuid(geteuid()); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;
};

TEST_F(HostilePaths, WhatIsThereAndCannotBeReadIsNeverPassedOver) {
  const auto raw = [&](const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << R"({"task":"raw","backend":"scripted"})";
  };
  for (const char* name : {"version", "promoted", "dangling", "locked"}) {
    raw(folder_ / name / "infer.json");
    fs::create_directories(folder_ / name / "1");
  }
  // The version's manifest differs from the folder's.
  fs::create_symlink("infer.json", folder_ / "version/1/infer.json");
  EXPECT_FALSE(read_manifest(folder_ / "version", "1"));
  fs::remove(folder_ / "version/1/infer.json");
  EXPECT_TRUE(read_manifest(folder_ / "version", "1"));
  fs::create_symlink("gone", folder_ / "version/1/infer.json");
  EXPECT_FALSE(read_manifest(folder_ / "version", "1"));
  // If the latest version is broken, no older version is served instead.
  fs::create_symlink("gone", folder_ / "dangling/2");
  EXPECT_FALSE(choose_version(folder_ / "dangling"));
  EXPECT_FALSE(served_versions(folder_ / "dangling"));
  fs::remove(folder_ / "dangling/2");
  EXPECT_EQ(choose_version(folder_ / "dangling").value(), "1");
  // No model of the folder is left out.
  const auto why = [&] { return repository_error({}, folder_).value_or(Error{}).message; };
  fs::create_symlink("gone", folder_ / "model");
  EXPECT_NE(why().find("model: "), std::string::npos) << why();
  fs::remove(folder_ / "model");
  fs::permissions(folder_, fs::perms(0755));
  fs::permissions(folder_ / "locked", fs::perms::none);
  fs::create_directories(folder_ / "lost+found");  // unreadable, and not a valid name for a model
  fs::permissions(folder_ / "lost+found", fs::perms::none);
  {
    const Nobody nobody;
    EXPECT_NE(why().find("locked/infer.json: cannot be read: Permission denied"), std::string::npos) << why();
    EXPECT_FALSE(read_manifest(folder_ / "locked"));
    EXPECT_FALSE(choose_version(folder_ / "locked"));
    EXPECT_FALSE(open_engine(folder_ / "locked"));
  }
  fs::permissions(folder_ / "locked", fs::perms(0755));
  EXPECT_EQ(why().find("locked/infer.json: cannot be read"), std::string::npos) << why();
}

TEST_F(HostilePaths, EveryFunctionThatWritesGivesAnErrorOrDoesIt) {
  const std::vector<std::pair<std::string, Call>> calls{
      {"write_manifest", [](const fs::path& p) { return error_of(write_manifest({}, p)); }},
      {"write_tuned", [](const fs::path& p) { return error_of(write_tuned(p, {})); }},
      {"write_window", [](const fs::path& p) { return error_of(write_window({}, p)); }},
      {"create_simulator", [](const fs::path& p) { return error_of(create_simulator({}, p / "model")); }},
      {"promote", [](const fs::path& p) { return error_of(promote(p, "1")); }}};
  for (const fs::path& path : unreadable()) {
    if (path.is_relative() || !path.string().starts_with(folder_.string()))
      continue;  // outside the test's folder
    for (const auto& [name, call] : calls) EXPECT_NO_THROW((void)call(path)) << name << " " << path;
  }
}

}  // namespace
}  // namespace infer::inline v0
