#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <set>

#include "infer/engine/manifest.h"
#include "infer/models/clip_vit.h"
#include "infer/models/import.h"
#include "infer/models/quantize.h"
#include "infer/models/simulator.h"
#include "infer/models/train_forecast.h"
#include "infer/models/train_text.h"
#include "support/import_fixture.h"

// If the disk becomes full while a model is written, there must be an error and no partial model.

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

template <class T>
Result<void> done(const Result<T>& result) {
  return result ? Result<void>() : Unexpected(result.error());
}

class FullDisk : public testing::ImportFixture {
 protected:
  /// Runs `write` in a child process in which no file may grow past `bytes`, since the limit applies to a
  /// process. It must fail with a matching error.
  void expect_error(std::size_t bytes, const std::function<Result<void>()>& write) {
    in_a_process_of_its_own([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{bytes, bytes};
      setrlimit(RLIMIT_FSIZE, &limit);
      const auto written = write();
      const bool right = !written && written.error().code == ErrorCode::kFailedPrecondition &&
                         written.error().message.find("cannot be written") != std::string::npos;
      if (!right) std::fprintf(stderr, "%s\n", written ? "written" : written.error().message.c_str());
      return right;
    });
  }
  /// LibTorch's threads would be missing in children that are forked later.
  void in_a_process_of_its_own(const std::function<bool()>& run) {
    const pid_t child = fork();
    if (child == 0) _exit(run() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  /// Checks that the folder contains only these files, without partial or hidden models.
  void expect_only(const std::set<std::string>& names) {
    for (const auto& entry : fs::directory_iterator(folder_))
      EXPECT_TRUE(names.contains(entry.path().filename())) << entry.path();
  }
};

TEST_F(FullDisk, EveryMakerOfModelsSaysSoAndLeavesNothing) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, std::size_t{4096}, std::size_t{60'000}})
    expect_error(bytes, [&] { return import_model(source, {"bert", "", 0}, model()); });
  ClipVitConfig clip;
  clip.image_size = 16;
  clip.patch_size = 8;
  clip.width = 32;
  clip.layers = 1;
  clip.heads = 4;
  clip.mlp_width = 48;
  clip.embedding_size = 12;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4096}, std::size_t{30'000}})
    expect_error(bytes, [&] { return create_clip_vit(clip, 1, model()); });
  expect_error(20, [&] { return create_simulator({}, model()); });
  std::string csv = "y\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i % 7) + "\n";
  testing::write_text(folder_ / "data.csv", csv);
  TrainForecastOptions series;
  series.data = folder_ / "data.csv";
  series.columns.targets = {"y"};
  for (const char* model_name : {"naive", "prophet", "gru"}) {
    series.models = {model_name};
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{20}, std::size_t{300}})
      expect_error(bytes, [&] { return done(train_forecast(series, model())); });
  }
  in_a_process_of_its_own([&] {
    return import_model(source, {"bert", "", 0}, folder_ / "base").has_value();
  });
  std::string texts_of_two_labels = "text,label\n";
  for (int i = 0; i < 6; ++i) texts_of_two_labels += "good film,1\nbad film,0\n";
  testing::write_text(folder_ / "texts.csv", texts_of_two_labels);
  TrainTextOptions texts;
  texts.base = folder_ / "base";
  texts.data = folder_ / "texts.csv";
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4096}, std::size_t{60'000}})
    expect_error(bytes, [&] { return done(train_text(texts, model())); });
  clip.width = clip.mlp_width = 128;  // wide enough for a layer to be quantized
  in_a_process_of_its_own([&] { return create_clip_vit(clip, 1, folder_ / "wide").has_value(); });
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4096}, std::size_t{30'000}})
    expect_error(bytes, [&] { return done(quantize_model(folder_ / "wide", {}, model())); });
  expect_only({"checkpoint", "data.csv", "texts.csv", "base", "wide"});
}

TEST_F(FullDisk, AModelThatIsThereStaysWhole) {
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  import_model(source, {"bert", "", 0}, model()).value();
  const Manifest manifest = read_manifest(model()).value();
  expect_error(10, [&] { return write_manifest(manifest, model()); });
  EXPECT_TRUE(read_manifest(model()));
  EXPECT_EQ(std::distance(fs::directory_iterator(model()), {}), 2);
}

TEST_F(FullDisk, ASmallFileSystemThatIsFull) {
  const auto disk = folder_ / "disk";
  fs::create_directories(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "mounting is not permitted";
  const auto source = checkpoint(testing::bert_config(false), testing::bert_shapes("", false, 0));
  const auto imported = import_model(source, {"bert", "", 0}, disk / "model");
  const bool nothing = fs::is_empty(disk);
  umount(disk.c_str());
  ASSERT_FALSE(imported);
  EXPECT_NE(imported.error().message.find("No space left on device"), std::string::npos)
      << imported.error().message;
  EXPECT_TRUE(nothing);
}

}  // namespace
}  // namespace infer::inline v0
