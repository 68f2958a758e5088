// Tests infer embed on folders, with the scripted model.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "cli/process.h"
#include "image/golden.h"
#include "support/scripted_model.h"

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

/// Returns the paths of a .jsonl output, in order.
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
  for (const char* name : {"z.jpg", "a.JPG", "b/y.jpeg", "b/c/x.jpg", "named.txt"}) add(name);
  std::ofstream(folder_ / "photos/note") << "buy milk";
  const std::string out = folder_ / "v.jsonl";
  const auto flat = embed({photos(), "-o", out});
  EXPECT_EQ(flat.code, 0) << flat.output;
  EXPECT_EQ(paths_of(out),
            (std::vector<std::string>{photos() + "/a.JPG", photos() + "/named.txt", photos() + "/z.jpg"}))
      << "a photograph is recognized by its first bytes";
  const auto deep = embed({photos(), "-r", "-o", out, "--force"});
  EXPECT_EQ(deep.code, 0) << deep.output;
  EXPECT_EQ(paths_of(out),
            (std::vector<std::string>{photos() + "/a.JPG", photos() + "/named.txt", photos() + "/z.jpg",
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
    ASSERT_TRUE(process.reaches([&] { return lines_of(rows).size() >= 3; })) << process.rest();
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
    EXPECT_NE(resumed.output.find(" 1 image in "), std::string::npos) << resumed.output;
    EXPECT_EQ(text_of(out), whole) << extension;
  }
}

/// The complete output and its records.
std::string all_of(const std::string& out) {
  return text_of(out) + '\n' + text_of(out + ".paths") + '\n' + text_of(out + ".state");
}

class EmbedResumed : public Embed, public ::testing::WithParamInterface<const char*> {};

TEST_P(EmbedResumed, IsThatOfAFreshRunWhateverChangedAndWhereverItWasKilled) {
  const std::string extension = GetParam();
  model_ = testing::scripted_model(folder_.path(), 5);
  const auto pictures = testing::goldens("kind");
  std::mt19937 random(20);
  const auto pick = [&](std::size_t count) {
    return static_cast<std::size_t>(std::uniform_int_distribution<std::size_t>(0, count - 1)(random));
  };
  const std::string out = folder_ / ("v" + extension);
  std::vector<std::string> names;
  int number = 0;
  const auto put = [&](const std::string& name) {
    const std::string bytes =
        pick(8) == 0 ? "not a picture" : text_of(pictures[pick(pictures.size())].encoded);
    std::ofstream(photos() + "/" + name, std::ios::binary | std::ios::trunc) << bytes;
  };
  const auto add_new = [&] {
    const char* places[] = {"", "b/", "b/c/"};
    const std::string at = places[pick(3)];
    names.push_back(at + std::string(1, static_cast<char>('a' + pick(26))) + std::to_string(++number) +
                    ".jpg");
    return names.back();
  };
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(extension + " round " + std::to_string(round));
    for (int i = 0; i < 6; ++i) {
      const std::size_t what = names.size() < 4 ? 0 : pick(4);
      if (what == 0) {
        put(add_new());
        continue;
      }
      const std::size_t which = pick(names.size());
      const std::string path = photos() + "/" + names[which];
      if (what == 1) put(names[which]);
      if (what == 2) fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
      if (what == 3) {
        fs::remove(path);
        names.erase(names.begin() + static_cast<std::ptrdiff_t>(which));
      }
    }
    if (pick(2) == 0) {  // kills the process once a certain new file has its row
      std::vector<std::string> good;
      for (int i = 0; i < 4; ++i) {
        good.push_back(photos() + "/" + add_new());
        fs::copy_file(pictures[pick(pictures.size())].encoded, good.back());
      }
      testing::Process run(
          {testing::infer_binary(), "embed", "--model", model_, photos(), "-r", "-o", out, "--resume"});
      const std::string waited = good[pick(good.size())] + "\"";
      ASSERT_TRUE(run.reaches([&] { return text_of(out + ".state").find(waited) != std::string::npos; }))
          << run.rest();
      run.signal(SIGKILL);
      run.wait();
    }
    const auto resumed = embed({photos(), "-r", "-o", out, "--resume"});
    const std::string fresh = folder_ / ("fresh" + extension);
    const auto from_the_beginning = embed({photos(), "-r", "-o", fresh, "--force"});
    ASSERT_EQ(resumed.code, from_the_beginning.code) << resumed.output << from_the_beginning.output;
    ASSERT_EQ(all_of(out), all_of(fresh)) << resumed.output;
  }
  for (const auto& file : fs::directory_iterator(folder_.path())) {
    EXPECT_NE(file.path().extension(), ".next");
    EXPECT_NE(file.path().extension(), ".tmp");
  }
}

INSTANTIATE_TEST_SUITE_P(Output, EmbedResumed, ::testing::Values(".jsonl", ".csv", ".npy"),
                         [](const auto& of) { return std::string(of.param).substr(1); });

TEST_F(Embed, ResumeFinishesARearrangementThatWasKilledAnywhere) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) add(name);
  for (const std::string extension : {".jsonl", ".csv", ".npy"}) {
    const std::string out = folder_ / ("v" + extension);
    ASSERT_EQ(embed({photos(), "-o", out, "--force"}).code, 0);
    const std::string wanted = folder_ / ("w" + extension);
    ASSERT_EQ(embed({photos() + "/c.jpg", photos() + "/a.jpg", "-o", wanted, "--force"}).code, 0);
    std::vector<std::string> suffixes{"", ".state"};
    if (extension == ".npy") suffixes.insert(suffixes.begin() + 1, ".paths");
    for (std::size_t renamed = 0; renamed < suffixes.size(); ++renamed) {
      for (std::size_t i = 0; i < suffixes.size(); ++i) {
        fs::copy_file(wanted + suffixes[i], out + suffixes[i] + (i < renamed ? "" : ".next"),
                      fs::copy_options::overwrite_existing);
      }
      const auto resumed = embed({photos() + "/c.jpg", photos() + "/a.jpg", "-o", out, "--resume"});
      EXPECT_EQ(resumed.code, 0) << resumed.output;
      EXPECT_NE(resumed.output.find(": 0 images"), std::string::npos) << resumed.output;
      EXPECT_EQ(all_of(out), all_of(wanted)) << extension << renamed;
    }
    // Without the last renamed file, the change was not committed.
    std::ofstream(out + ".next") << "half";
    EXPECT_EQ(embed({photos() + "/c.jpg", photos() + "/a.jpg", "-o", out, "--resume"}).code, 0);
    EXPECT_EQ(all_of(out), all_of(wanted)) << extension;
    EXPECT_FALSE(fs::exists(out + ".next"));
  }
}

TEST_F(Embed, ResumeRefusesRowsOfAnotherModelVersionOrPreprocessingAndSaysWhichDiffers) {
  add("a.jpg");
  add("b.jpg");
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  const std::string before = all_of(out);
  const auto refused = [&](const std::string& difference) {
    const auto resumed = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(resumed.code, 1) << resumed.output;
    EXPECT_NE(resumed.output.find(difference), std::string::npos) << resumed.output;
    EXPECT_NE(resumed.output.find("replace the output with --force"), std::string::npos) << resumed.output;
    EXPECT_EQ(all_of(out), before) << difference;
  };
  const std::string manifest = text_of(model_ + "/infer.json");
  std::string other = manifest;
  other.replace(other.find("\"size\": 32"), 10, "\"size\": 32, \"mean\": [0.5, 0.5, 0.5]");
  std::ofstream(model_ + "/infer.json") << other;
  refused("preprocess was {\"size\":32,\"mean\":[0.48");
  std::ofstream(model_ + "/infer.json") << manifest;
  const std::string script = text_of(model_ + "/1/script.json");
  std::ofstream(model_ + "/1/script.json") << R"({"per_sample_ms": 1})";
  refused("sha256 was ");
  std::ofstream(model_ + "/1/script.json") << script;
  fs::rename(model_ + "/1", model_ + "/2");
  refused("version was \"1\", is \"2\"");
  fs::rename(model_ + "/2", model_ + "/1");
  fs::rename(model_, folder_ / "renamed");
  model_ = folder_ / "renamed";
  refused("model was \"scripted\", is \"renamed\"");
  EXPECT_EQ(embed({photos(), "-o", out, "--force"}).code, 0);
}

TEST_F(Embed, ResumeTakesNothingOnTrust) {
  add("a.jpg");
  add("b.jpg");
  for (const std::string extension : {".jsonl", ".csv"}) {
    const std::string out = folder_ / ("v" + extension);
    ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
    const std::string whole = text_of(out);
    std::string edited = whole;
    edited.replace(edited.find("a.jpg"), 5, "x.jpg");
    std::ofstream(out) << edited;
    const auto changed = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(changed.code, 1);
    EXPECT_NE(changed.output.find("row 1 is not the row that infer embed wrote for "), std::string::npos)
        << changed.output;
    EXPECT_EQ(text_of(out), edited) << "nothing is lost";
    std::ofstream(out) << whole;
    fs::remove(out + ".state");  // as earlier versions left it
    const auto old = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(old.code, 1);
    EXPECT_NE(old.output.find("has no v" + extension + ".state"), std::string::npos) << old.output;
    EXPECT_FALSE(fs::exists(out + ".state"));
    EXPECT_EQ(text_of(out), whole);
  }
}

TEST_F(Embed, ResumeKeepsRowsThatItWasNotAskedAbout) {
  add("a.jpg");
  add("b/b.jpg");
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-r", "-o", out}).code, 0);
  const std::string before = all_of(out);
  const auto flat = embed({photos(), "-o", out, "--resume"});
  EXPECT_EQ(flat.code, 1);
  EXPECT_NE(flat.output.find(photos() + "/b/b.jpg, which is not part of this run"), std::string::npos)
      << flat.output;
  EXPECT_EQ(all_of(out), before);
  fs::rename(photos(), folder_ / "away");  // as if a drive were not mounted
  fs::create_directories(photos());
  const auto gone = embed({photos(), "-r", "-o", out, "--resume"});
  EXPECT_EQ(gone.code, 1);
  EXPECT_NE(gone.output.find(photos() + ": contains no photo, and "), std::string::npos) << gone.output;
  EXPECT_EQ(all_of(out), before);
}

TEST_F(Embed, ResumeKeepsRowsOfAPathThatIsMissingForNow) {
  add("a.jpg");
  add("b/b.jpg");
  const std::string kept = photos() + "/b";
  const std::string drive = folder_ / "drive";
  const std::string link = folder_ / "link";
  fs::create_directory(drive);
  fs::copy_file(photos() + "/a.jpg", drive + "/d.jpg");
  fs::create_directory_symlink(drive, link);
  for (const std::string& path : {drive, drive + "/", drive + "/d.jpg", link}) {
    SCOPED_TRACE(path);
    const std::string out = folder_ / "v.jsonl";
    ASSERT_EQ(embed({kept, path, "-o", out, "--force"}).code, 0);
    const std::string before = all_of(out);
    const auto refused = [&](const std::string& named, const std::string& why) {
      const auto resumed = embed({kept, named, "-o", out, "--resume"});
      EXPECT_EQ(resumed.code, 1) << resumed.output;
      EXPECT_NE(resumed.output.find(named + ": " + why + ", and " + out + " has a row of "),
                std::string::npos)
          << resumed.output;
      EXPECT_EQ(all_of(out), before);
    };
    fs::rename(drive, folder_ / "away");
    refused(path, "No such file or directory");
    refused(folder_ / "*/d.jpg",
            "No such file or directory");  // a pattern without a match, as a shell passes it on
    fs::create_directory(drive);
    if (!path.ends_with(".jpg")) refused(path, "contains no photo");
    // The name exists but leads to no folder, so the walk cannot examine it.
    fs::remove(drive);
    fs::create_symlink("drive", drive);
    if (!path.ends_with(".jpg")) {
      const auto resumed = embed({kept, path, "-o", out, "--resume"});
      EXPECT_EQ(resumed.code, 1) << resumed.output;
      EXPECT_EQ(all_of(out), before);
    }
    fs::remove(drive);
    fs::rename(folder_ / "away", drive);
    const auto back = embed({kept, path, "-o", out, "--resume"});
    EXPECT_EQ(back.code, 0);
    EXPECT_EQ(all_of(out), before);
  }
}

TEST_F(Embed, ResumeKeepsRowsOfFilesThatGoMissingWhileItRuns) {
  model_ = testing::scripted_model(folder_.path(), 20);
  for (const char* name : {"a.jpg", "z.jpg", "b/b.jpg"}) add(name);
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-r", "-o", out}).code, 0);
  for (int i = 0; i < 300; ++i) add("p" + std::to_string(1000 + i) + ".jpg");
  {
    testing::Process run(
        {testing::infer_binary(), "embed", "--model", model_, photos(), "-r", "-o", out, "--resume"});
    ASSERT_TRUE(run.reaches([&] { return lines_of(out).size() > 3; })) << run.rest();
    run.signal(SIGSTOP);
    fs::rename(photos() + "/z.jpg", folder_ / "z.jpg");
    fs::rename(photos() + "/b", folder_ / "b");
    run.signal(SIGCONT);
    const std::string output = run.rest();
    EXPECT_EQ(run.wait(), 3) << output;
    EXPECT_NE(output.find(photos() + "/z.jpg: "), std::string::npos) << output;
    EXPECT_NE(output.find(photos() + "/b: "), std::string::npos) << output;
    EXPECT_NE(output.find(out + " keeps the rows of files that could not be found"), std::string::npos)
        << output;
    EXPECT_EQ(lines_of(out).size(), 303u);
  }
  fs::rename(folder_ / "z.jpg", photos() + "/z.jpg");
  fs::rename(folder_ / "b", photos() + "/b");
  const auto again = embed({photos(), "-r", "-o", out, "--resume", "--json"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("\"written\":0,\"rows\":303,\"skipped\":0,\"dropped\":0"), std::string::npos)
      << again.output;
  EXPECT_EQ(paths_of(out).back(), photos() + "/b/b.jpg");
}

TEST_F(Embed, ResumeDropsRowsBesideAFolderThatNeverHadPhotos) {
  add("a.jpg");
  add("b.jpg");
  fs::create_directory(folder_.path() / "empty");
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), folder_ / "empty", "-o", out}).code, 0);
  fs::remove(photos() + "/b.jpg");
  const auto resumed = embed({photos(), folder_ / "empty", "-o", out, "--resume"});
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(paths_of(out), (std::vector<std::string>{photos() + "/a.jpg"}));
}

TEST_F(Embed, AShardWhoseFilesAreAllGoneBecomesEmpty) {
  for (int i = 0; i < 6; ++i) add("p" + std::to_string(i) + ".jpg");
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-o", out, "--shard", "1/2"}).code, 0);
  const auto mine = paths_of(out);
  ASSERT_FALSE(mine.empty());
  ASSERT_LT(mine.size(), 6u);
  for (const std::string& path : mine) fs::remove(path);
  const auto resumed = embed({photos(), "-o", out, "--shard", "1/2", "--resume"});
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_EQ(text_of(out), "");
}

TEST_F(Embed, ResumeGivesAPathThatIsNamedTwiceBothOfItsRows) {
  add("a.jpg");
  const std::string path = photos() + "/a.jpg";
  const std::string out = folder_ / "v.csv";
  ASSERT_EQ(embed({path, path, "-o", out}).code, 0);
  const std::string before = all_of(out);
  const auto resumed = embed({path, path, "-o", out, "--resume", "--json"});
  EXPECT_NE(resumed.output.find("\"written\":0,\"rows\":2,\"skipped\":0,\"dropped\":0"), std::string::npos)
      << resumed.output;
  EXPECT_EQ(all_of(out), before);
}

TEST_F(Embed, ResumeCutsOffWhatIsNoRecordOfARow) {
  add("a.jpg");
  add("b.jpg");
  const std::string out = folder_ / "v.csv";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  const std::string before = all_of(out);
  for (const std::string& tail : {std::string("\0\0\0\n", 4), std::string("{\"path\":\"x\"}\n"),
                                  std::string("{\"path\":\"x\",\"bytes\":1,\"modified_ns\":1,"
                                              "\"row_bytes\":9000000000000000}\n")}) {
    std::ofstream(out + ".state", std::ios::app) << tail;
    std::ofstream(out, std::ios::app) << "half a row";
    EXPECT_EQ(embed({photos(), "-o", out, "--resume"}).code, 0);
    EXPECT_EQ(all_of(out), before);
  }
}

TEST_F(Embed, ResumeKeepsRowsOfFilesWhoseContentStayed) {
  add("a.jpg");
  add("b.jpg");
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  const std::string before = all_of(out);
  fs::permissions(photos() + "/a.jpg", fs::perms::owner_read);
  fs::create_hard_link(photos() + "/b.jpg", folder_ / "backup.jpg");
  const auto resumed = embed({photos(), "-o", out, "--resume", "--json"});
  EXPECT_NE(resumed.output.find("\"written\":0,\"rows\":2,\"skipped\":0,\"dropped\":0"), std::string::npos)
      << resumed.output;
  EXPECT_EQ(all_of(out), before);
}

TEST_F(Embed, ResumeRefusesARecordThatIsBadInTheMiddleAndCutsNothing) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) add(name);
  for (const std::string extension : {".jsonl", ".csv", ".npy"}) {
    const std::string out = folder_ / ("v" + extension);
    ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
    const std::string whole = text_of(out + ".state");
    std::string bad = whole;
    bad[bad.find("\"bytes\"", bad.find("b.jpg"))] = '\0';
    std::ofstream(out + ".state", std::ios::binary) << bad;
    const std::string before = all_of(out);
    const auto resumed = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(resumed.code, 1) << resumed.output;
    EXPECT_NE(resumed.output.find(out + ".state: line 3 was not written by infer embed"), std::string::npos)
        << resumed.output;
    EXPECT_EQ(all_of(out), before) << extension;
    std::ofstream(out + ".state", std::ios::binary) << whole;
    EXPECT_EQ(embed({photos(), "-o", out, "--resume"}).code, 0);
  }
}

TEST_F(Embed, ResumeWithAnEmptyRecordStartsIfThereAreNoRowsAndRefusesIfThereAre) {
  add("a.jpg");
  for (const std::string extension : {".jsonl", ".csv", ".npy"}) {
    const std::string out = folder_ / ("v" + extension);
    ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
    const std::string whole = all_of(out);
    fs::resize_file(out + ".state", 0);
    const std::string before = all_of(out);
    const auto refused = embed({photos(), "-o", out, "--resume"});
    EXPECT_EQ(refused.code, 1) << refused.output;
    EXPECT_NE(refused.output.find("does not record which model made the rows"), std::string::npos)
        << refused.output;
    EXPECT_EQ(all_of(out), before) << extension;
    fs::resize_file(out, extension == ".npy" ? 128 : extension == ".csv" ? lines_of(out)[0].size() + 1 : 0);
    EXPECT_EQ(embed({photos(), "-o", out, "--resume"}).code, 0) << extension;
    EXPECT_EQ(all_of(out), whole) << extension;
  }
}

TEST_F(Embed, ARearrangementThatCannotBeWrittenLeavesTheRowsAndNothingElse) {
  for (int i = 0; i < 30; ++i) add("p" + std::to_string(i) + ".jpg");
  for (const std::string extension : {".jsonl", ".csv", ".npy"}) {
    const std::string out = folder_ / ("v" + extension);
    ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
    const std::string before = all_of(out);
    fs::rename(photos() + "/p0.jpg", folder_ / "p0.jpg");
    // A file of more than 512 bytes cannot be written, as on a full disk.
    testing::Process full({"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh",
                           testing::infer_binary(), "embed", "--model", model_, photos(), "-o", out,
                           "--resume"});
    const std::string output = full.rest();
    EXPECT_EQ(full.wait(), 1) << output;
    EXPECT_NE(output.find("cannot be written: File too large"), std::string::npos) << output;
    EXPECT_EQ(all_of(out), before) << extension;
    for (const char* suffix : {".next", ".paths.next", ".state.next", ".state.tmp", ".lock"})
      EXPECT_FALSE(fs::exists(out + suffix)) << out << suffix;
    fs::rename(folder_ / "p0.jpg", photos() + "/p0.jpg");
  }
}

TEST_F(Embed, ALinkAsOutputIsFollowedAndStays) {
  add("a.jpg");
  fs::create_directory(folder_.path() / "disk");
  const std::string target = folder_ / "disk/v.jsonl";
  fs::create_symlink("disk/v.jsonl", folder_.path() / "relative.jsonl");
  fs::create_symlink(folder_.path() / "relative.jsonl", folder_.path() / "absolute.jsonl");
  for (const char* name : {"relative.jsonl", "absolute.jsonl"}) {
    const std::string link = folder_ / name;
    for (const char* how : {"--force", "--resume"}) {
      const auto run = embed({photos(), "-o", link, how});
      EXPECT_EQ(run.code, 0) << run.output;
      EXPECT_TRUE(fs::is_symlink(link)) << name << how;
      EXPECT_FALSE(fs::is_symlink(target));
      EXPECT_EQ(paths_of(target).size(), 1u);
      EXPECT_TRUE(fs::exists(target + ".state"));
    }
    fs::remove(target);
  }
  fs::create_symlink("loop.jsonl", folder_.path() / "loop.jsonl");
  const auto loop = embed({photos(), "-o", folder_ / "loop.jsonl", "--force"});
  EXPECT_EQ(loop.code, 1);
  EXPECT_NE(loop.output.find("loop.jsonl: too many symbolic links"), std::string::npos) << loop.output;
  EXPECT_TRUE(fs::is_symlink(folder_ / "loop.jsonl"));
}

TEST_F(Embed, CtrlCWhileItLooksForChangesDropsNothing) {
  add("a.jpg");
  add("b.jpg");
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  const std::string before = all_of(out);
  fs::remove(photos() + "/b.jpg");
  for (int i = 0; i < 400; ++i)
    fs::create_hard_link(photos() + "/a.jpg", photos() + "/p" + std::to_string(i) + ".jpg");
  // Naming the folder many times makes the walk take seconds.
  std::vector<std::string> command{
      testing::infer_binary(), "embed", "--model", model_, "-o", out, "--resume"};
  command.insert(command.end(), 10'000, photos());
  testing::Process run(command);
  ASSERT_TRUE(run.reaches([&] { return fs::exists(out + ".lock"); })) << run.rest();
  run.signal(SIGINT);
  const std::string output = run.rest();
  EXPECT_EQ(run.wait(), 130) << output;
  EXPECT_NE(output.find("infer embed: stopped; "), std::string::npos) << output;
  EXPECT_EQ(all_of(out), before);
}

TEST_F(Embed, SaysHowManyRowsItDropped) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) add(name);
  const std::string out = folder_ / "v.jsonl";
  ASSERT_EQ(embed({photos(), "-o", out}).code, 0);
  fs::remove(photos() + "/a.jpg");
  fs::copy_file(testing::golden("camera").encoded, photos() + "/c.jpg", fs::copy_options::overwrite_existing);
  const auto resumed = embed({photos(), "-o", out, "--resume", "--json"});
  EXPECT_NE(resumed.output.find("\"written\":1,\"rows\":2,\"skipped\":0,\"dropped\":2"), std::string::npos)
      << resumed.output;
  fs::remove(photos() + "/b.jpg");
  const auto again = embed({photos(), "-o", out, "--resume"});
  EXPECT_NE(again.output.find("dropped 1 row of a changed or deleted file"), std::string::npos)
      << again.output;
}

TEST_F(Embed, ASecondRunOnAnOutputIsRefused) {
  for (int i = 0; i < 60; ++i) add("p" + std::to_string(i) + ".jpg");
  model_ = testing::scripted_model(folder_.path(), 200);
  const std::string out = folder_ / "v.npy";
  testing::Process first({testing::infer_binary(), "embed", "--model", model_, photos(), "-o", out});
  ASSERT_TRUE(first.reaches([&] { return !lines_of(out + ".paths").empty(); })) << first.rest();
  first.signal(SIGSTOP);  // stays alive and keeps its lock, however long the others need
  for (const char* how : {"--resume", "--force"}) {
    const auto second = embed({photos(), "-o", out, how});
    EXPECT_EQ(second.code, 1) << how;
    EXPECT_NE(second.output.find("another process is writing this output"), std::string::npos)
        << second.output;
  }
  first.signal(SIGINT);
  first.signal(SIGCONT);
  EXPECT_EQ(first.wait(), 130) << first.rest();
  EXPECT_EQ(lines_of(out + ".state").size(), lines_of(out + ".paths").size() + 1);
  EXPECT_FALSE(fs::exists(out + ".lock"));
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
  EXPECT_LT(most, 14u) << "no part takes nearly all files";
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
  EXPECT_NE(exists.output.find("--resume continues it, --force replaces the output"), std::string::npos)
      << exists.output;
  const auto extension = embed({photos(), "-o", folder_ / "v.parquet"});
  EXPECT_NE(extension.output.find("is not .npy, .jsonl or .csv"), std::string::npos) << extension.output;
  fs::create_directory(folder_.path() / "empty");
  const auto empty = embed({folder_ / "empty", "-o", folder_ / "e.npy"});
  EXPECT_EQ(empty.code, 1);
  EXPECT_NE(empty.output.find("found no JPEG or PNG"), std::string::npos) << empty.output;
  const auto full = embed({photos(), "-o", folder_ / "absent/v.npy"});
  EXPECT_EQ(full.code, 1) << full.output;
  model_ = folder_ / "absent";
  const auto model = embed({photos(), "-o", folder_ / "m.npy"});
  EXPECT_EQ(model.code, 1);
  EXPECT_NE(model.output.find("infer model create"), std::string::npos) << model.output;
}

}  // namespace
}  // namespace infer
