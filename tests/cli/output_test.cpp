// Tests what every command prints, and what happens if it cannot print.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/process.h"
#include "image/golden.h"
#include "printable.h"
#include "support/scripted_model.h"

namespace infer {
namespace {

TEST(Printable, ControlsDirectionMarksAndBytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(cli::printable("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
  EXPECT_EQ(cli::printable("caf\xc3\xa9 \xe9"), "caf\xc3\xa9 \\xe9");
  EXPECT_EQ(cli::printable("\xc2\x9b\xe2\x80\xae"), "\\xc2\\x9b\\xe2\\x80\\xae");
}

std::string name_of(std::size_t index) {
  return index == 0 ? "AFullDevice" : index == 1 ? "AClosedDescriptor" : "AClosedPipe";
}

class Output : public ::testing::TestWithParam<const char*> {};

TEST_P(Output, ThatCannotBeWrittenIsExitCodeOneInEveryCommand) {
  const testing::Folder folder;
  const std::string model = testing::scripted_model(folder.path());
  std::filesystem::create_directories(folder.path() / "photos");
  for (const char* name : {"a.jpg", "b.jpg"})
    std::filesystem::copy_file(testing::golden("jpeg").encoded, folder.path() / "photos" / name);
  std::ofstream(folder / "curve.json")
      << R"({"model": "m", "workers": 1, "intra_op_threads": 1, "max_batch_size": 1, "max_queue_size": 64,
             "max_queue_delay_ms": 0, "prepare_ms": 0, "batches": [{"batch": 1, "forward_ms": 10, "alone_ms": 10}]})";
  std::ofstream data(folder / "data.csv");
  data << "y\n";
  for (int i = 0; i < 60; ++i) data << i % 7 << '\n';
  data.close();
  testing::Process server(
      {testing::infer_binary(), "serve", "--port", "0", "--probe-port", "0", "--model", model});
  const std::string listening = server.line();
  const std::size_t at = listening.find("\"port\":") + 7;
  const std::string health =
      "http://127.0.0.1:" + listening.substr(at, listening.find(',', at) - at) + "/health";
  ASSERT_NE(server.line().find("ready"), std::string::npos);

  for (const std::string what : {"--version",
                                 "--help",
                                 "serve --help",
                                 "--help-all",
                                 "completion bash",
                                 "doctor",
                                 "doctor --json",
                                 "model inspect scripted",
                                 "model inspect scripted --json",
                                 "model create simulator --out simulator",
                                 "duplicates photos",
                                 "duplicates photos --json -",
                                 "embed photos --model scripted -o v.npy --force",
                                 "plan curve.json --qps 1 --seconds 5",
                                 "plan curve.json --qps 1 --seconds 5 --json",
                                 "bench scripted --seconds 0.01 --batch 1",
                                 "bench scripted --seconds 0.01 --batch 1 --json",
                                 "tune scripted --time 1s --clients 1",
                                 "train forecast --data data.csv --target y --model naive --out series",
                                 "promote scripted 1",
                                 "get HEALTH",
                                 "load --host HEALTH --qps 20 --seconds 0.1",
                                 "load --host HEALTH --qps 20 --seconds 0.1 --json"}) {
    std::string command = what;
    if (const std::size_t place = command.find("HEALTH"); place != std::string::npos)
      command.replace(place, 6, health);
    std::string line = GetParam();
    line.replace(line.find("COMMAND"), 7, testing::infer_binary() + " " + command);
    std::filesystem::remove_all(folder.path() / "simulator");
    testing::Process process({"/bin/bash", "-c", "cd " + folder.path().string() + " && { " + line + "; }"});
    const std::string said = process.rest();
    EXPECT_NE(said.find("could not be written"), std::string::npos) << command << ": " << said;
    EXPECT_EQ(process.wait(), 1) << command;
  }
}

// The last case is a pipe without a reader, as in infer ... | head -c0.
INSTANTIATE_TEST_SUITE_P(To, Output,
                         ::testing::Values("COMMAND > /dev/full", "COMMAND >&-",
                                           "exec 3> >(:); wait $!; COMMAND >&3"),
                         [](const auto& of) { return name_of(of.index); });

}  // namespace
}  // namespace infer
