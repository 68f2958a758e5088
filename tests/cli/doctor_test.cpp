#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/process.h"
#include "doctor/check.h"
#include "support/scripted_model.h"
#if INFER_WITH_TORCH
#include "torch/models/script_module.h"
#endif

namespace infer {
namespace {

namespace fs = std::filesystem;
using cli::Check;
using testing::run_infer;

Check named(const std::vector<Check>& checks, const std::string& name) {
  const auto found =
      std::find_if(checks.begin(), checks.end(), [&](const Check& c) { return c.name == name; });
  return found != checks.end() ? *found : Check{};
}

TEST(Doctor, ReadsQuotaThrottlingAndMemoryFromTheControlGroup) {
  const testing::Folder root;
  fs::create_directories(root.path() / "proc/self");
  fs::create_directories(root.path() / "sys/fs/cgroup/pod");
  std::ofstream(root / "proc/self/cgroup") << "0::/pod\n";
  std::ofstream(root / "proc/cpuinfo") << "model name\t: Old CPU\nflags\t\t: sse2\n";
  std::ofstream(root / "sys/fs/cgroup/pod/cpu.max") << "50000 100000\n";
  std::ofstream(root / "sys/fs/cgroup/pod/cpu.stat") << "nr_throttled 7\nthrottled_usec 9000\n";
  std::ofstream(root / "sys/fs/cgroup/pod/memory.max") << "268435456\n";
  const auto checks = cli::check_machine(root.path());
  EXPECT_EQ(named(checks, "cpu").level, Check::Level::kWarning);
  EXPECT_NE(named(checks, "cores").advice.find("less than one core"), std::string::npos);
  EXPECT_EQ(named(checks, "throttling").found, "7 periods, 9 ms in all");
  EXPECT_NE(named(checks, "memory").found.find("limit 256 MiB"), std::string::npos);
  EXPECT_EQ(named(checks, "memory").level, Check::Level::kWarning);
  for (const Check& check : checks) {
    EXPECT_EQ(check.advice.empty(), check.level == Check::Level::kOk) << check.name;
  }
}

TEST(Doctor, EndsWithOneWhereSomethingWillNotWork) {
  const testing::Folder folder;
  const auto well = run_infer({"doctor", "--model", testing::scripted_model(folder.path())});
  EXPECT_EQ(well.code, 0) << well.output;
  const auto absent = run_infer({"doctor", "--model", folder / "absent", "--json"});
  EXPECT_EQ(absent.code, 1);
  EXPECT_TRUE(absent.output.starts_with(R"({"level":"failure")")) << absent.output;
}

#if INFER_WITH_TORCH
class DoctorOnModels : public ::testing::Test {
 protected:
  std::vector<Check> look_at(const std::string& source) {
    fs::create_directories(folder_.path() / "model/1");
    std::ofstream(folder_ / "model/infer.json") << R"({"task": "raw"})";
    EXPECT_TRUE(save_script(source, folder_ / "model/1/model.pt"));
    return cli::check_model(folder_ / "model");
  }
  testing::Folder folder_;
};

TEST_F(DoctorOnModels, FindsADeviceWrittenIntoTheCode) {
  const auto checks = look_at("def forward(self, x: Tensor) -> Tensor:\n    return x.to(\"cuda:0\")\n");
  EXPECT_EQ(named(checks, "devices").level, Check::Level::kWarning);
  EXPECT_NE(named(checks, "devices").found.find("cuda:0"), std::string::npos);
}

TEST_F(DoctorOnModels, AModelThatIsWellHasNoFinding) {
  for (const Check& check : look_at("def forward(self, x: Tensor) -> Tensor:\n    return x + x.add_(1)\n")) {
    EXPECT_EQ(check.level, Check::Level::kOk) << check.name << ": " << check.found;
  }
}

TEST_F(DoctorOnModels, ATruncatedFileIsAFailure) {
  look_at("def forward(self, x: Tensor) -> Tensor:\n    return x\n");
  fs::resize_file(folder_ / "model/1/model.pt", 100);
  const auto checks = cli::check_model(folder_ / "model");
  EXPECT_EQ(named(checks, "module").level, Check::Level::kFailure);
}
#endif

}  // namespace
}  // namespace infer
