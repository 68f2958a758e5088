// What every command prints, and what happens when it cannot.

#include <gtest/gtest.h>

#include "cli/process.h"
#include "printable.h"

namespace infer {
namespace {

TEST(Printable, ControlsDirectionMarksAndBytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(cli::printable("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
  EXPECT_EQ(cli::printable("caf\xc3\xa9 \xe9"), "caf\xc3\xa9 \\xe9");
  EXPECT_EQ(cli::printable("\xc2\x9b\xe2\x80\xae"), "\\xc2\\x9b\\xe2\\x80\\xae");
}

TEST(Output, ThatCannotBeWrittenIsExitCodeOneInEveryCommand) {
  for (const char* what : {"--version", "--help", "serve --help", "--help-all", "completion bash"}) {
    for (const char* where : {"> /dev/full", ">&-"}) {
      testing::Process process({"/bin/sh", "-c", testing::infer_binary() + " " + what + " " + where});
      EXPECT_NE(process.rest().find("could not be written"), std::string::npos) << what << where;
      EXPECT_EQ(process.wait(), 1) << what << where;
    }
  }
}

}  // namespace
}  // namespace infer
