// infer embed on folders, with the scripted model.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/process.h"
#include "cli/scripted_model.h"
#include "image/golden.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
using testing::run_infer;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The paths of a .jsonl output, in order.
std::vector<std::string> paths_of(const std::string& jsonl) {
  std::vector<std::string> paths;
  for (const std::string& line : lines_of(jsonl)) {
    const std::string key = "{\"path\":\"";
    EXPECT_TRUE(line.starts_with(key)) << line;
    paths.push_back(line.substr(key.size(), line.find('"', key.size()) - key.size()));
  }
  return paths;
}

class Embed : public ::testing::Test {
 protected:
  Embed() : model_(testing::scripted_model(folder_.path())) {
    fs::create_directories(folder_.path() / "photos/b/c");
  }

  void add(const std::string& name) {
    fs::copy_file(testing::golden("jpeg").encoded, folder_.path() / "photos" / name);
  }
  testing::Finished embed(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"embed", "--model", model_});
    return run_infer(std::move(arguments));
  }
  std::string photos() const { return folder_ / "photos"; }

  testing::Folder folder_;
  std::string model_;
};

TEST_F(Embed, RowsAreInTheOrderOfTheNamesFilesBeforeFolders) {
  for (const char* name : {"z.jpg", "a.JPG", "b/y.jpeg", "b/c/x.jpg", "note.txt"}) add(name);
  const std::string out = folder_ / "v.jsonl";
  const auto flat = embed({photos(), "-o", out});
  EXPECT_EQ(flat.code, 0) << flat.output;
  EXPECT_EQ(paths_of(out), (std::vector<std::string>{photos() + "/a.JPG", photos() + "/z.jpg"}));
  const auto deep = embed({photos(), "-r", "-o", out, "--force"});
  EXPECT_EQ(deep.code, 0) << deep.output;
  EXPECT_EQ(paths_of(out), (std::vector<std::string>{photos() + "/a.JPG", photos() + "/z.jpg",
                                                     photos() + "/b/y.jpeg", photos() + "/b/c/x.jpg"}));
}

TEST_F(Embed, ABadFileIsNamedAndSkippedAndTheExitCodeSaysSo) {
  add("good.jpg");
  std::ofstream(folder_ / "photos/bad.jpg") << "not a picture";
  const auto run = embed({photos(), "-o", folder_ / "v.jsonl", "--json"});
  EXPECT_EQ(run.code, 3);
  EXPECT_NE(run.output.find(photos() + "/bad.jpg: "), std::string::npos) << run.output;
  EXPECT_NE(run.output.find("\"written\":1,\"rows\":1,\"skipped\":1"), std::string::npos) << run.output;
  EXPECT_EQ(paths_of(folder_ / "v.jsonl").size(), 1u);
}

TEST_F(Embed, CtrlCLeavesCompleteOutputAndResumeAddsWhatIsMissingOnce) {
  for (int i = 0; i < 120; ++i) add("p" + std::to_string(1000 + i) + ".jpg");
  model_ = testing::scripted_model(folder_.path(), 20);
  for (const std::string extension : {".jsonl", ".csv", ".npy"}) {
    const std::string out = folder_ / ("v" + extension);
    const std::string rows = extension == ".npy" ? out + ".paths" : out;
    testing::Process process({testing::infer_binary(), "embed", "--model", model_, photos(), "-o", out});
    while (!fs::exists(rows) || lines_of(rows).size() < 3) {
    }
    process.signal(SIGINT);
    EXPECT_EQ(process.wait(), 130) << process.rest();
    const std::size_t first = lines_of(rows).size();
    EXPECT_LT(first, 120u);
    const auto resumed = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.output;
    const auto lines = lines_of(rows);
    std::set<std::string> distinct;
    for (const auto& line : lines) distinct.insert(line.substr(0, line.find(',')));
    EXPECT_EQ(lines.size(), 120u + (extension == ".csv" ? 1 : 0));
    EXPECT_EQ(distinct.size(), lines.size()) << extension;
  }
}

TEST_F(Embed, ResumeDropsARowThatWasCutOff) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) add(name);
  for (const std::string extension : {".jsonl", ".csv", ".npy"}) {
    const std::string out = folder_ / ("v" + extension);
    ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
    const std::string whole = text_of(out);
    const std::string rows = extension == ".npy" ? out + ".paths" : out;
    fs::resize_file(rows, fs::file_size(rows) - 5);
    const auto resumed = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.output;
    EXPECT_NE(resumed.output.find("1 images"), std::string::npos) << resumed.output;
    EXPECT_EQ(text_of(out), whole) << extension;
  }
}

TEST_F(Embed, AnNpyFileIsAFloatArrayWithAPathForEachRow) {
  add("a.jpg");
  add("b.jpg");
  const std::string out = folder_ / "v.npy";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  const std::string bytes = text_of(out);
  ASSERT_EQ(bytes.size(), 128 + 2 * 8 * sizeof(float));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(bytes.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 8), } ");
  EXPECT_EQ(bytes[127], '\n');
  float row[8];
  std::memcpy(row, bytes.data() + 128, sizeof row);
  float squares = 0;
  for (const float value : row) squares += value * value;
  EXPECT_NEAR(squares, 1.0F, 1e-5F);
  EXPECT_EQ(lines_of(out + ".paths"),
            (std::vector<std::string>{"\"" + photos() + "/a.jpg\"", "\"" + photos() + "/b.jpg\""}));
}

TEST_F(Embed, ResumeRefusesAnArrayWhosePathsAreGone) {
  add("a.jpg");
  const std::string out = folder_ / "v.npy";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  fs::remove(out + ".paths");
  const auto resumed = embed({photos(), "-o", out, "--resume"});
  EXPECT_EQ(resumed.code, 1);
  EXPECT_NE(resumed.output.find("v.npy.paths: is missing"), std::string::npos) << resumed.output;
  EXPECT_EQ(fs::file_size(out), 128 + 8 * sizeof(float)) << "nothing is lost";
}

TEST_F(Embed, ACsvQuotesPathsThatNeedIt) {
  add("a,\"b\".jpg");
  const std::string out = folder_ / "v.csv";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  const auto lines = lines_of(out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "path,e0,e1,e2,e3,e4,e5,e6,e7");
  EXPECT_TRUE(lines[1].starts_with("\"" + photos() + "/a,\"\"b\"\".jpg\",")) << lines[1];
  EXPECT_NE(embed({photos(), "-o", out, "--resume"}).output.find("0 images"), std::string::npos);
}

TEST_F(Embed, ShardsTakeEveryFileOnce) {
  for (int i = 0; i < 20; ++i) add("p" + std::to_string(i) + ".jpg");
  std::multiset<std::string> all;
  std::size_t most = 0;
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    const std::string out = folder_ / (std::string("s") + shard[0] + ".jsonl");
    ASSERT_EQ(embed({photos(), "-o", out, "--shard", shard}).code, 0);
    const auto paths = paths_of(out);
    most = std::max(most, paths.size());
    all.insert(paths.begin(), paths.end());
  }
  EXPECT_EQ(all.size(), 20u);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 20u);
  EXPECT_LT(most, 14u) << "no part takes nearly all";
  EXPECT_EQ(embed({photos(), "-o", folder_ / "x.jsonl", "--shard", "0/3"}).code, 1);
}

TEST_F(Embed, OnATerminalTheRateAndTheTimeLeftAreShown) {
  for (int i = 0; i < 60; ++i) add("p" + std::to_string(i) + ".jpg");
  model_ = testing::scripted_model(folder_.path(), 20);
  const std::string command =
      testing::infer_binary() + " embed --model " + model_ + " " + photos() + " -o " + (folder_ / "v.npy");
  testing::Process terminal({"/usr/bin/script", "-qec", command, "/dev/null"});
  const std::string shown = terminal.rest();
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_NE(shown.find("/60 images  "), std::string::npos) << shown;
  EXPECT_NE(shown.find(" left"), std::string::npos) << shown;
}

TEST_F(Embed, SaysWhatIsWrongBeforeAnyWork) {
  add("a.jpg");
  std::ofstream(folder_ / "there.npy") << "x";
  const auto exists = embed({photos(), "-o", folder_ / "there.npy"});
  EXPECT_EQ(exists.code, 1);
  EXPECT_NE(exists.output.find("--resume continues it, --force replaces it"), std::string::npos)
      << exists.output;
  const auto extension = embed({photos(), "-o", folder_ / "v.parquet"});
  EXPECT_NE(extension.output.find("none of .npy, .jsonl and .csv"), std::string::npos) << extension.output;
  fs::create_directory(folder_.path() / "empty");
  const auto empty = embed({folder_ / "empty", "-o", folder_ / "e.npy"});
  EXPECT_EQ(empty.code, 1);
  EXPECT_NE(empty.output.find("found no .jpg, .jpeg or .png"), std::string::npos) << empty.output;
  const auto full = embed({photos(), "-o", folder_ / "absent/v.npy"});
  EXPECT_EQ(full.code, 1) << full.output;
  model_ = folder_ / "absent";
  const auto model = embed({photos(), "-o", folder_ / "m.npy"});
  EXPECT_EQ(model.code, 1);
  EXPECT_NE(model.output.find("infer model create"), std::string::npos) << model.output;
}

}  // namespace
}  // namespace infer
