// Names with characters that control a terminal: no command may print them unchanged.

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/process.h"
#include "engine/json_writer.h"
#include "engine/utf8.h"
#include "image/golden.h"
#include "plot.h"
#include "printable.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
using testing::run_infer;

// ESC, carriage return, line break, BEL, C1 (CSI), line separator, direction override and isolate, a
// zero-width mark, and an invalid UTF-8 sequence.
const std::string kHostile =
    "x\x1b[31m\x1b]0;owned\x07\r\nforged: line\xc2\x9b"
    "2J\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f'q\" $(id)";

/// Describes the terminal control characters in `output`. Empty if there are none.
std::string obeyed(std::string_view output) {
  if (output.starts_with("forged") || output.find("\nforged") != std::string_view::npos)
    return "a forged line";
  for (std::size_t at = 0; at < output.size();) {
    const std::size_t length = utf8_length(output.substr(at));
    if (length == 0) return "a byte that is no UTF-8 at " + std::to_string(at);
    const char32_t code = code_point(output.substr(at), length);
    if (code != '\n' && steers_display(code))
      return "U+" + std::to_string(static_cast<unsigned>(code)) + " at " + std::to_string(at);
    at += length;
  }
  return {};
}

TEST(HostileNames, AreFoundByTheTestItself) {
  EXPECT_NE(obeyed(kHostile), "");
  EXPECT_NE(obeyed("\xff"), "");
  EXPECT_NE(obeyed("a\nforged"), "");
  EXPECT_EQ(obeyed(cli::printable(kHostile)), "");
  EXPECT_EQ(obeyed(cli::shell_path(kHostile)), "");
}

TEST(HostileNames, AreEscapedInJsonAndReadBackAsTheyWere) {
  JsonWriter json;
  json.value("\xc2\x80\xc2\x9f\x7f\xe2\x80\xa9\xe2\x81\xa9\xef\xbb\xbf\xc3\xa9");
  EXPECT_EQ(json.text(), "\"\\u0080\\u009f\\u007f\\u2029\\u2069\\ufeff\xc3\xa9\"");
  JsonWriter hostile;
  hostile.value(kHostile);
  EXPECT_EQ(obeyed(hostile.text()), "");
}

TEST(HostileNames, DoNotReachAPicture) {
  cli::Plot plot{.title = kHostile, .x_label = kHostile, .y_label = kHostile};
  plot.series.push_back({kHostile, {{1, 1}, {2, 2}}});
  EXPECT_EQ(obeyed(cli::svg(plot)), "");
}

TEST(HostileNames, FillAColumnByTheirCharacters) {
  EXPECT_EQ(cli::printable_column("caf\xc3\xa9", 6), "caf\xc3\xa9  ");
  EXPECT_EQ(cli::printable_column("caf\xc3\xa9s", 2, 4), "caf\xc3\xa9");
  EXPECT_EQ(cli::printable_column("\x1b", 6), "\\x1b  ");
}

class HostileNamesInCommands : public ::testing::Test {
 protected:
  HostileNamesInCommands() {
    model_ = folder_ / kHostile;
    fs::rename(testing::scripted_model(folder_.path(), 1), model_);
    fs::create_directories(photos());
    fs::copy_file(testing::golden("jpeg").encoded, photos() + "/" + kHostile + ".jpg");
    fs::copy_file(testing::golden("jpeg").encoded, photos() + "/" + kHostile + " too.jpg");
    std::ofstream(photos() + "/" + kHostile + " bad.jpg") << "no picture";
    std::ofstream(photos() + "/\xff.jpg") << "no picture";
  }
  std::string photos() const { return folder_ / ("photos" + kHostile); }
  void check(const std::vector<std::string>& arguments) {
    const auto run = run_infer(arguments);
    EXPECT_EQ(obeyed(run.output), "") << arguments[0] << ": " << cli::printable_lines(run.output);
    EXPECT_FALSE(run.output.empty()) << arguments[0];
  }

  testing::Folder folder_;
  std::string model_;
};

TEST_F(HostileNamesInCommands, OfFoldersAndFiles) {
  const std::string out = folder_ / (kHostile + ".jsonl");
  for (const char* json : {"", "--json"}) {
    const auto with_json = [&](std::vector<std::string> arguments) {
      if (*json != '\0') arguments.emplace_back(json);
      check(arguments);
    };
    with_json({"embed", photos(), "--model", model_, "-o", out, "--force"});
    with_json({"embed", photos(), "--model", model_, "-o", out});
    with_json({"embed", photos(), "--model", model_, "-o", out, "--resume"});
    with_json({"model", "inspect", model_});
    with_json({"doctor", "--model", model_});
    with_json({"bench", model_, "--seconds", "0.01", "--batch", "1"});
    with_json({"tune", model_, "--time", "1s", "--clients", "1"});
    with_json({"model", "create", "simulator", "--out", folder_ / (kHostile + "simulator" + json)});
    with_json(
        {"train", "text", "--base", model_, "--data", photos() + "/" + kHostile + ".jpg", "--out", model_});
    with_json({"model", "import", model_, "--arch", "bert", "--out", folder_ / ("no/" + kHostile)});
    with_json({"model", "quantize", model_, "--out", folder_ / (kHostile + "/none")});
  }
  check({"duplicates", photos()});
  check({"duplicates", photos(), "--json", "-", "--model", model_});
  check({"duplicates", photos(), "--html", folder_ / (kHostile + ".html")});
  check({"promote", model_, "1"});
  check({"promote", model_, kHostile});
  check({"promote", model_});
  check({"serve", "--model", folder_ / ("none" + kHostile), "--port", "0", "--probe-port", "0"});
  check({"serve", "--config", folder_ / ("none" + kHostile)});
  check({"drain", "--admin-socket", folder_ / "none"});
  check({"bench", folder_ / ("none" + kHostile)});
  check({"bench", model_, "--device", kHostile});
  check({kHostile});
  check({"embed", "--" + kHostile});
}

TEST_F(HostileNamesInCommands, OfColumnsAndVersions) {
  const std::string data = folder_ / (kHostile + ".csv");
  std::ofstream csv(data);
  csv << "\"x\x1b[31m\xc2\x9b\xe2\x80\xae\"\n";
  for (int i = 0; i < 60; ++i) csv << i % 7 << '\n';
  csv.close();
  const std::string out = folder_ / ("series" + kHostile);
  check({"train", "forecast", "--data", data, "--target", "x\x1b[31m\xc2\x9b\xe2\x80\xae", "--model", "naive",
         "--out", out});
  check({"train", "forecast", "--data", data, "--target", kHostile, "--model", "naive", "--out", out});
  check({"model", "inspect", out});
  EXPECT_FALSE(fs::exists(out)) << "a model must not have this name";
  const std::string series = folder_ / "series";
  check({"train", "forecast", "--data", data, "--target", "x\x1b[31m\xc2\x9b\xe2\x80\xae", "--model", "naive",
         "--out", series});
  check({"model", "inspect", series});
  // A leaderboard with names from another program.
  for (const auto& file : fs::directory_iterator(series)) {
    if (file.path().extension() != ".json") continue;
    std::ifstream in(file.path());
    std::string text(std::istreambuf_iterator<char>(in), {});
    for (std::size_t at = 0; (at = text.find("1-naive", at)) != std::string::npos; at += 20)
      text.replace(at, 7, "1-\\u001b\\u009b\\u202enaive");
    std::ofstream(file.path()) << text;
  }
  check({"promote", series});
  std::ofstream(folder_ / "curve.json")
      << R"({"model": "m\u001b[31m\u009b\u202e\nforged", "workers": 1, "intra_op_threads": 1, "max_batch_size": 1,
             "max_queue_size": 64, "max_queue_delay_ms": 0, "prepare_ms": 0,
             "batches": [{"batch": 1, "forward_ms": 10, "alone_ms": 10}]})";
  for (const char* json : {"", "--json"}) {
    std::vector<std::string> plan{"plan", folder_ / "curve.json", "--qps", "1", "--seconds", "5"};
    if (*json != '\0') plan.emplace_back(json);
    check(plan);
  }
  check({"plan", folder_ / "curve.json", "--slo", kHostile});
  check({"plan", folder_ / ("none" + kHostile)});
}

TEST_F(HostileNamesInCommands, OfServers) {
  for (const char* command : {"get", "wait"}) {
    check({command, "http://127.0.0.1:1/" + kHostile, "--timeout", "0.2"});
    check({command, kHostile, "--timeout", "0.2"});
  }
  check({"load", "--host", "http://127.0.0.1:1/" + kHostile, "--qps", "10", "--seconds", "0.2"});
  check({"load", "--host", "http://" + kHostile + ":1/", "--qps", "10", "--seconds", "0.2"});
  check({"load", "--host", kHostile});
  check({"load", "--host", "http://127.0.0.1:1/", "--body", "@" + kHostile});
}

}  // namespace
}  // namespace infer
