// Runs the commands that other commands print as advice.

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/process.h"
#include "image/golden.h"
#include "printable.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
using testing::run_infer;

/// Returns the text from `begin` to the end of its line, or to `end` before that.
std::string advice(const std::string& output, const std::string& begin, const std::string& end = "\n") {
  const std::size_t at = output.find(begin);
  if (at == std::string::npos) return "no '" + begin + "' in: " + output;
  const std::size_t stop = std::min(output.find(end, at), output.find('\n', at));
  return output.substr(at, stop - at);
}

class Advice : public ::testing::Test {
 protected:
  /// Runs a printed line in a shell, in the test's folder, as a user would.
  testing::Process typed(const std::string& line) const {
    const fs::path bin = fs::path(testing::infer_binary()).parent_path();
    return testing::Process({"/bin/bash", "-c", "cd \"$PLACE\" && PATH=\"$BIN:$PATH\" && exec " + line},
                            {{"PLACE", folder_.path().string()},
                             {"BIN", bin.string()},
                             {"INFER_PORT", "0"},
                             {"INFER_PROBE_PORT", "0"}});
  }
  void succeeds(const std::string& line) const {
    ASSERT_TRUE(line.starts_with("infer ")) << line;
    testing::Process shell = typed(line);
    const std::string said = shell.rest();
    EXPECT_EQ(shell.wait(), 0) << line << ": " << said;
  }

  testing::Folder folder_;
};

TEST(ShellPath, IsOneWordThatAShellReadsBackAsItWas) {
  for (const std::string name :
       {"plain/name-1.0", "two words", "it's", "\"quoted\"", "$HOME `id` $(id)", "a\\b", "-n", "caf\xc3\xa9",
        "", "~", "a\nb\x1b[31m'\\c", "\xff\xfe", "x;y&z|(w)<v>*?[u]#"}) {
    const std::string word = cli::shell_path(name);
    testing::Process shell({"/bin/bash", "-c", "for word in " + word + "; do printf '%s|' \"$word\"; done"});
    EXPECT_EQ(shell.rest(), (name.starts_with('-') ? "./" : "") + name + "|") << word;
    EXPECT_EQ(cli::printable(word), word);
  }
}

TEST_F(Advice, OfTuneServesAndPromotesWhateverTheModelIsCalled) {
  const std::string folder = "it's \"my\" $HOME models";
  fs::create_directories(folder_.path() / folder);
  const fs::path model = testing::scripted_model(folder_.path() / folder);
  // Version 1 gives the same answers as the served version 2, and is faster.
  fs::copy(model / "1", model / "2");
  std::ofstream(model / "2" / "script.json") << R"({"per_sample_ms": 50, "burn": false})";
  std::ifstream in(model / "infer.json");
  std::string manifest(std::istreambuf_iterator<char>(in), {});
  manifest.insert(manifest.find('{') + 1, R"("same_weights_as": "2", )");
  std::ofstream(model / "1" / "infer.json") << manifest;

  testing::Process tune =
      typed("infer tune " + cli::shell_path(folder + "/scripted") + " --time 2s --clients 1");
  const std::string tuned = tune.rest();
  ASSERT_EQ(tune.wait(), 0) << tuned;
  succeeds(advice(tuned, "infer promote "));
  EXPECT_TRUE(fs::exists(model / "PROMOTED"));
  testing::Process server = typed(advice(tuned, "infer serve "));
  std::string line;
  do {
    line = server.line();
  } while (!line.empty() && line.find("\"event\":\"ready\"") == std::string::npos);
  EXPECT_NE(line.find("\"model_version\":\"1\""), std::string::npos) << tuned;
  server.signal(SIGINT);
  EXPECT_EQ(server.wait(), 0);
}

TEST_F(Advice, OfLoadShowsAnAnswer) {
  testing::Process server({testing::infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model",
                           testing::scripted_model(folder_.path())});
  const std::string listening = server.line();
  const std::size_t at = listening.find("\"port\":") + 7;
  const std::string port = listening.substr(at, listening.find(',', at) - at);
  ASSERT_NE(server.line().find("ready"), std::string::npos);
  const std::string url = "http://127.0.0.1:" + port + "/health?a=it's&b=$HOME;(c)";
  const auto load =
      run_infer({"load", "--host", url, "--method", "DELETE", "--qps", "10", "--seconds", "0.2"});
  EXPECT_EQ(load.code, 1) << load.output;
  succeeds(advice(load.output, "infer get ", " shows one answer"));
}

TEST_F(Advice, OfDoctorAndOfWrongUsageIsTaken) {
  succeeds(advice(run_infer({"doctor", "--model", folder_ / "absent"}).output, "infer model create "));
  EXPECT_TRUE(fs::exists(folder_.path() / "models/simulator/infer.json"));
  succeeds(advice(run_infer({"wrong"}).output, "infer --help", " and "));
}

#if INFER_WITH_TORCH
TEST_F(Advice, OfEmbedAndServeMakesAModelThatBothTake) {
  const auto embed =
      run_infer({"embed", folder_ / "a.jpg", "--model", folder_ / "absent", "-o", folder_ / "v.npy"});
  const auto serve = run_infer({"serve"});
  const std::string line = advice(embed.output, "infer model create ");
  EXPECT_EQ(advice(serve.output, "infer model create "), line);
  succeeds(line);
  fs::copy_file(testing::golden("jpeg").encoded, folder_.path() / "a.jpg");
  succeeds("infer embed a.jpg -o v.npy");  // uses the new folder, which is the default
  const auto again = typed("infer embed a.jpg -o v.npy").rest();
  succeeds("infer embed a.jpg -o v.npy " + advice(again, "--resume", " "));
  succeeds("infer embed a.jpg -o v.npy " + advice(again, "--force", " "));
}
#endif

}  // namespace
}  // namespace infer
