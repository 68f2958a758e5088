#include <gtest/gtest.h>

#include "infer/tools/objective.h"

namespace infer::inline v0::tools {
namespace {

TEST(Objective, IsReadOrRefused) {
  EXPECT_DOUBLE_EQ(Objective::parse("p95=200ms").value().seconds, 0.2);
  EXPECT_DOUBLE_EQ(Objective::parse("p99.9=1.5s").value().fraction, 0.999);
  for (const char* bad :
       {"", "p95", "p95=200", "95=200ms", "p100=1s", "p0=1s", "p95=-1s", "p95=ms", "p95=infs", "p=1s"})
    EXPECT_FALSE(Objective::parse(bad)) << bad;
}

}  // namespace
}  // namespace infer::inline v0::tools
