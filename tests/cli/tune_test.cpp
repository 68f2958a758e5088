#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "cli/process.h"
#include "infer/engine/tuned.h"
#include "support/scripted_model.h"
#include "tuned_place.h"

namespace infer::cli {
namespace {

using testing::run_infer;

TEST(TuneCommand, WritesWhatServeThenUses) {
  const testing::Folder folder;
  const std::string model = testing::scripted_model(folder.path(), 5);
  const auto tuned = run_infer(
      {"tune", model, "--seconds", "2", "--clients", "4", "--plot", folder / "front.svg", "--json"});
  ASSERT_EQ(tuned.code, 0) << tuned.output;
  EXPECT_NE(tuned.output.find("\"front\":[{"), std::string::npos) << tuned.output;
  const auto file = adapter::find_tuned(model);
  ASSERT_FALSE(file.empty());
  EXPECT_EQ(file.parent_path(), std::filesystem::path(model) / "tuned");
  EXPECT_TRUE(std::filesystem::exists(folder / "front.svg"));

  TunedSettings settings;
  settings.workers = settings.intra_op_threads = 1;
  settings.max_batch_size = 3;
  settings.max_queue_delay.emplace(0);
  ASSERT_TRUE(write_tuned(file, {{"1", settings}}));
  testing::Process server({testing::infer_binary(), "serve", "--model", model, "--port", "0", "--probe-port",
                           "0", "--tune", "auto"});
  EXPECT_NE(server.line().find("listening"), std::string::npos);
  const std::string said = server.line();
  EXPECT_NE(said.find("\"event\":\"tuned\""), std::string::npos) << said;
  const std::string ready = server.line();
  EXPECT_NE(ready.find("\"workers\":1,"), std::string::npos) << ready;
}

TEST(TuneCommand, SaysWhatIsWrong) {
  const testing::Folder folder;
  const std::string model = testing::scripted_model(folder.path());
  EXPECT_EQ(run_infer({"tune", folder / "none"}).code, 1);
  for (const auto& [flag, value] : {std::pair{"--seconds", "soon"},
                                    {"--time", "0s"},
                                    {"--slo", "p99=1s"},
                                    {"--slo", "fast"},
                                    {"--sample", "/no/such"}}) {
    const auto refused = run_infer({"tune", model, flag, value});
    EXPECT_EQ(refused.code, 1) << flag << value;
    EXPECT_NE(refused.output.find("infer tune: "), std::string::npos) << refused.output;
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(model) / "tuned"));
}

}  // namespace
}  // namespace infer::cli
