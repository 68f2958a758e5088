#include "infer/machine/control_group.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "infer/machine/cpu.h"
#include "infer/machine/descriptors.h"
#include "infer/machine/memory.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

/// A temporary file system root with control group files.
class FakeRoot {
 public:
  FakeRoot() : root_(fs::temp_directory_path() / ("infer-machine-" + std::to_string(getpid()))) {
    fs::remove_all(root_);
  }
  ~FakeRoot() { fs::remove_all(root_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  const fs::path& path() const { return root_; }

 private:
  fs::path root_;
};

TEST(CpuLimits, ReadsCgroupV2) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/cpu.max", "250000 100000\n");
  root.write("sys/fs/cgroup/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 1234\n");
  const CpuLimits limits = read_control_group(root.path()).cpu;
  EXPECT_DOUBLE_EQ(limits.quota_cores.value(), 2.5);
  EXPECT_EQ(limits.throttled_periods, 4u);
  EXPECT_EQ(limits.throttled_us, 1234u);
}

TEST(CpuLimits, TheTightestAncestorBinds) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "0::/pods/one\n");
  root.write("sys/fs/cgroup/pods/cpu.max", "100000 100000\n");
  root.write("sys/fs/cgroup/pods/one/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(read_control_group(root.path()).cpu.quota_cores.value(), 1.0);
}

TEST(CpuLimits, ReadsCgroupV1) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.stat",
             "nr_periods 3\nnr_throttled 2\nthrottled_time 5000000\n");
  const CpuLimits limits = read_control_group(root.path()).cpu;
  EXPECT_DOUBLE_EQ(limits.quota_cores.value(), 1.5);
  EXPECT_EQ(limits.throttled_us, 5000u);
}

TEST(MemoryLimits, TheTightestLevelCountsWithoutItsFilePages) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "0::/pods/one\n");
  root.write("sys/fs/cgroup/pods/memory.max", "1000\n");
  root.write("sys/fs/cgroup/pods/memory.current", "700\n");
  root.write("sys/fs/cgroup/pods/memory.stat", "anon 500\ninactive_file 150\n");
  root.write("sys/fs/cgroup/pods/one/memory.max", "max\n");
  root.write("sys/fs/cgroup/pods/one/memory.current", "600\n");
  const MemoryLimits limits = read_control_group(root.path()).memory;
  EXPECT_EQ(limits.limit_bytes, 1000U);
  EXPECT_EQ(limits.used_bytes, 550U);
}

TEST(MemoryLimits, ReadsCgroupV1AndNoLimitIsNone) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "5:memory:/a\n");
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5\n");
  EXPECT_FALSE(read_control_group(root.path()).memory.limit_bytes);
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n");
  EXPECT_EQ(read_control_group(root.path()).memory.limit_bytes, 4096U);
}

TEST(ControlGroup, OneReadingGivesTheLimitsOfCpuAndMemory) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "0::/pod\n");
  root.write("sys/fs/cgroup/pod/cpu.max", "50000 100000\n");
  root.write("sys/fs/cgroup/pod/memory.max", "4096\n");  // without memory.current, no memory counts as used
  const ControlGroup group = read_control_group(root.path());
  EXPECT_DOUBLE_EQ(group.cpu.quota_cores.value(), 0.5);
  EXPECT_EQ(group.memory.limit_bytes, 4096U);
  EXPECT_EQ(group.memory.used_bytes, 0U);
}

TEST(ControlGroup, OfVersion1MayHaveOneGroupForEachController) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "6:cpuset:/c\n5:memory:/a\n4:cpuacct,cpu:/b\n");
  root.write("sys/fs/cgroup/cpu/b/cpu.cfs_quota_us", "300000\n");
  root.write("sys/fs/cgroup/cpu/b/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "8192\n");
  root.write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5000\n");
  root.write("sys/fs/cgroup/memory/a/memory.stat", "total_inactive_file 1000\n");
  const ControlGroup group = read_control_group(root.path());
  EXPECT_DOUBLE_EQ(group.cpu.quota_cores.value(), 3.0);
  EXPECT_EQ(group.memory.limit_bytes, 8192U);
  EXPECT_EQ(group.memory.used_bytes, 4000U);
}

TEST(CpuLimits, NoLimitIsNoLimit) {
  const FakeRoot root;
  EXPECT_FALSE(read_control_group(root.path()).cpu.quota_cores);
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_FALSE(read_control_group(root.path()).cpu.quota_cores);
  root.write("proc/self/cgroup", "4:cpu:/\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(read_control_group(root.path()).cpu.quota_cores);
}

TEST(UsableCores, IsTheSmallerOfAffinityAndQuotaAndAtLeastOne) {
  EXPECT_EQ(usable_cores({}, 64), 64u);
  EXPECT_EQ(usable_cores({2.0, 0, 0}, 64), 2u);
  EXPECT_EQ(usable_cores({2.5, 0, 0}, 64), 2u);
  EXPECT_EQ(usable_cores({0.5, 0, 0}, 64), 1u);
  EXPECT_EQ(usable_cores({8.0, 0, 0}, 4), 4u);
}

TEST(UsableCores, OfThisProcessAreAtLeastOneAndAtMostThoseOfItsAffinity) {
  EXPECT_GE(usable_cores(), 1U);
  EXPECT_LE(usable_cores(), affinity_cores());
}

TEST(Cpu, ItsNameAndFeaturesAreThoseOfTheFirstCore) {
  const FakeRoot root;
  root.write("proc/cpuinfo",
             "processor\t: 0\nmodel name\t: A CPU: fast\nflags\t\t: sse2 avx2\n\nprocessor\t: 1\nmodel "
             "name\t: Another\nflags\t\t: amx_int8\n");
  const CpuInfo cpu = read_cpu_info(root.path());
  EXPECT_EQ(cpu.name, "A CPU: fast");
  EXPECT_EQ(cpu.features, (std::set<std::string>{"avx2", "sse2"}));
}

TEST(Cpu, OneThatTellsNoNameIsUnknown) {
  const FakeRoot root;
  EXPECT_EQ(read_cpu_info(root.path()).name, "unknown");
  root.write("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n");
  EXPECT_EQ(read_cpu_info(root.path()).name, "unknown");
  EXPECT_TRUE(read_cpu_info(root.path()).features.contains("asimd"));
}

TEST(Memory, WhatIsAvailableIsReadInKibibytes) {
  const FakeRoot root;
  EXPECT_EQ(available_memory(root.path()), 0U);
  root.write("proc/meminfo", "MemTotal:  10 kB\nMemFree:  1 kB\nMemAvailable:   3 kB\nBuffers: 9 kB\n");
  EXPECT_EQ(available_memory(root.path()), 3072U);
}

TEST(Memory, AProcessUsesLessThanItMay) {
  EXPECT_GT(resident_memory(), 0U);
  EXPECT_LT(resident_memory(), usable_memory());
}

TEST(Descriptors, AnOpenFileIsCountedAndTheLimitOnlyRises) {
  const std::size_t before = open_descriptors();
  const std::ifstream file("/proc/self/stat");
  EXPECT_EQ(open_descriptors(), before + 1);
  const std::size_t limit = descriptor_limit();
  EXPECT_GE(limit, before);
  EXPECT_GE(raise_descriptor_limit(), limit);
  EXPECT_EQ(raise_descriptor_limit(), descriptor_limit());
}

}  // namespace
}  // namespace infer
