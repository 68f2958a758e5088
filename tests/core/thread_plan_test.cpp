#include "infer/core/thread_plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "infer/core/memory_limits.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

/// A made-up file system root with control group files.
class FakeRoot {
 public:
  FakeRoot() : root_(fs::temp_directory_path() / ("infer-cgroup-" + std::to_string(getpid()))) {
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
  const CpuLimits limits = read_cpu_limits(root.path());
  EXPECT_DOUBLE_EQ(limits.quota_cores.value(), 2.5);
  EXPECT_EQ(limits.throttled_periods, 4u);
  EXPECT_EQ(limits.throttled_us, 1234u);
}

TEST(CpuLimits, TheTightestAncestorBinds) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "0::/pods/one\n");
  root.write("sys/fs/cgroup/pods/cpu.max", "100000 100000\n");
  root.write("sys/fs/cgroup/pods/one/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(read_cpu_limits(root.path()).quota_cores.value(), 1.0);
}

TEST(CpuLimits, ReadsCgroupV1) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.stat",
             "nr_periods 3\nnr_throttled 2\nthrottled_time 5000000\n");
  const CpuLimits limits = read_cpu_limits(root.path());
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
  const MemoryLimits limits = read_memory_limits(root.path());
  EXPECT_EQ(limits.limit_bytes, 1000U);
  EXPECT_EQ(limits.used_bytes, 550U);
}

TEST(MemoryLimits, ReadsCgroupV1AndNoLimitIsNone) {
  const FakeRoot root;
  root.write("proc/self/cgroup", "5:memory:/a\n");
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5\n");
  EXPECT_FALSE(read_memory_limits(root.path()).limit_bytes);
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096\n");
  EXPECT_EQ(read_memory_limits(root.path()).limit_bytes, 4096U);
}

TEST(CpuLimits, NoLimitIsNoLimit) {
  const FakeRoot root;
  EXPECT_FALSE(read_cpu_limits(root.path()).quota_cores);
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_FALSE(read_cpu_limits(root.path()).quota_cores);
  root.write("proc/self/cgroup", "4:cpu:/\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(read_cpu_limits(root.path()).quota_cores);
}

TEST(UsableCores, IsTheSmallerOfAffinityAndQuotaAndAtLeastOne) {
  EXPECT_EQ(usable_cores({}, 64), 64u);
  EXPECT_EQ(usable_cores({2.0, 0, 0}, 64), 2u);
  EXPECT_EQ(usable_cores({2.5, 0, 0}, 64), 2u);
  EXPECT_EQ(usable_cores({0.5, 0, 0}, 64), 1u);
  EXPECT_EQ(usable_cores({8.0, 0, 0}, 4), 4u);
}

TEST(ThreadPlan, DefaultIsOneSingleThreadedWorkerPerCore) {
  const auto plan = plan_threads(4, 0, 0).value();
  EXPECT_EQ(plan.workers, 4u);
  EXPECT_EQ(plan.intra_op_threads, 1u);
}

TEST(ThreadPlan, TheOtherNumberFollowsFromTheOneGiven) {
  EXPECT_EQ(plan_threads(8, 2, 0).value().intra_op_threads, 4u);
  EXPECT_EQ(plan_threads(8, 0, 4).value().workers, 2u);
  EXPECT_EQ(plan_threads(0, 0, 0).value().workers, 1u);
}

TEST(ThreadPlan, RefusesMoreThreadsThanCores) {
  const auto plan = plan_threads(2, 2, 2);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message, "workers 2 x intra_op_threads 2 exceeds the 2 usable cores");
  EXPECT_FALSE(plan_threads(2, 5000, 1));
}

}  // namespace
}  // namespace infer
