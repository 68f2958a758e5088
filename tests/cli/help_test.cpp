#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "cli/process.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

using testing::run_infer;

TEST(Help, EveryCommandHasAnExample) {
  for (const char* command : {"serve", "drain", "embed", "duplicates", "model create", "model inspect",
                              "doctor", "bench", "load", "wait", "get", "completion"}) {
    std::vector<std::string> words;
    std::istringstream in(command);
    for (std::string word; in >> word;) words.push_back(word);
    words.emplace_back("--help");
    const auto help = run_infer(words);
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_NE(help.output.find(std::string("infer ") + command), std::string::npos) << help.output;
    EXPECT_NE(help.output.find("Example"), std::string::npos) << command;
  }
}

TEST(Help, AMistypedVerbOrFlagNamesTheNearest) {
  const auto verb = run_infer({"duplcates", "x"});
  EXPECT_EQ(verb.code, 2);
  EXPECT_NE(verb.output.find("'duplcates' is not a command of infer; did you mean duplicates?"),
            std::string::npos);
  const auto flag = run_infer({"embed", "x", "--resursive", "-o", "v.npy"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_NE(flag.output.find("'--resursive' is not a flag of infer embed; did you mean --recursive?"),
            std::string::npos);
  const auto below = run_infer({"model", "inspekt", "x"});
  EXPECT_NE(below.output.find("'inspekt' is not a command of infer model; did you mean inspect?"),
            std::string::npos);
  const auto far = run_infer({"xyzzy"});
  EXPECT_NE(far.output.find("known: serve"), std::string::npos) << far.output;
  const auto missing = run_infer({"embed", "x"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_NE(missing.output.find("--out is required"), std::string::npos) << missing.output;
}

TEST(Help, AVariableOfOneCommandIsNothingToAnother) {
  const auto wrong = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> all{testing::infer_binary()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    testing::Process process(all, {{"INFER_PORT", "tcp://10.0.0.1:80"}, {"INFER_PROBE_PORT", "none"}});
    const std::string said = process.rest();
    return testing::Finished{process.wait(), said};
  };
  const testing::Folder folder;
  EXPECT_EQ(wrong({"model", "create", "simulator", "--out", folder / "simulator"}).code, 0);
  EXPECT_EQ(wrong({"model", "inspect", folder / "simulator"}).code, 0);
  EXPECT_EQ(wrong({"completion", "bash"}).code, 0);
  EXPECT_EQ(wrong({"--help"}).code, 0);
  for (const char* command : {"serve", "drain"}) {
    const auto refused = wrong({command});
    EXPECT_EQ(refused.code, 2) << command;
    EXPECT_NE(refused.output.find("variable: INFER_"), std::string::npos) << refused.output;
  }
}

TEST(Help, AModelIsAWordOrAFlagAndNeverTwoModels) {
  const testing::Folder folder;
  const std::string model = testing::scripted_model(folder.path());
  EXPECT_EQ(run_infer({"model", "inspect", model}).code, 0);
  EXPECT_EQ(run_infer({"model", "inspect", "--model", model}).code, 0);
  EXPECT_EQ(run_infer({"model", "inspect", model, "--model", model}).code, 0);
  EXPECT_EQ(run_infer({"doctor", model, "--model", model}).code, run_infer({"doctor", model}).code);
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"serve"}, {"bench"}, {"tune"}, {"doctor"}, {"model", "inspect"}}) {
    std::vector<std::string> words = command;
    words.insert(words.end(), {model, "--model", folder / "other"});
    const auto refused = run_infer(words);
    EXPECT_EQ(refused.code, 2) << refused.output;
    EXPECT_NE(refused.output.find("'" + (folder / "other") + "' and the argument '" + model +
                                  "' name different models; give only one of them"),
              std::string::npos)
        << refused.output;
  }
  for (const auto& command : std::vector<std::vector<std::string>>{{"tune"}, {"model", "inspect"}}) {
    const auto missing = run_infer(command);
    EXPECT_EQ(missing.code, 2);
    EXPECT_NE(missing.output.find("model is required"), std::string::npos) << missing.output;
  }
  // Typed words take precedence over a variable.
  testing::Process bench({testing::infer_binary(), "bench", model, "--seconds", "0.01", "--json"},
                         {{"INFER_MODEL", folder / "other"}});
  EXPECT_NE(bench.rest().find("\"batches\""), std::string::npos);
  EXPECT_EQ(bench.wait(), 0);
}

TEST(Help, EarlierNamesOfOptionsStillWorkAndAreNotShown) {
  EXPECT_EQ(run_infer({"load", "--host", "nowhere", "--qps", "1", "--seconds", "0.1"}).output,
            run_infer({"load", "nowhere", "--qps", "1", "--seconds", "0.1"}).output);
  EXPECT_EQ(run_infer({"tune", "none", "--time", "soon"}).output,
            run_infer({"tune", "none", "--seconds", "soon"}).output);
  for (const auto& [command, name] : {std::pair{"load", "--host"}, {"tune", "--time"}}) {
    EXPECT_EQ(run_infer({command, "--help"}).output.find(name), std::string::npos) << command;
    EXPECT_EQ(run_infer({"completion", "fish"}).output.find(std::string(command) + "' -l " + (name + 2)),
              std::string::npos);
  }
}

TEST(Help, BashCompletesCommandsAndTheirFlags) {
  const testing::Folder folder;
  std::ofstream(folder / "completion.bash") << run_infer({"completion", "bash"}).output;
  const auto completed = [&](const std::string& words, int at) {
    const std::string script = ". " + (folder / "completion.bash") + "; COMP_WORDS=(" + words +
                               "); COMP_CWORD=" + std::to_string(at) + "; _infer; echo \"${COMPREPLY[@]}\"";
    testing::Process bash({"/bin/bash", "-c", script});
    return bash.line();
  };
  EXPECT_EQ(completed("infer dup", 1), "duplicates");
  EXPECT_EQ(completed("infer model in", 2), "inspect");
  EXPECT_EQ(completed("infer embed --rec", 2), "--recursive");
  EXPECT_EQ(completed("infer model inspect --j", 3), "--json");
  for (const char* shell : {"zsh", "fish"}) EXPECT_EQ(run_infer({"completion", shell}).code, 0);
}

}  // namespace
}  // namespace infer
