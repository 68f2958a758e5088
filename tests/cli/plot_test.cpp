#include <gtest/gtest.h>

#include <string>

#include "plot.h"

namespace infer::cli {
namespace {

TEST(Plot, EscapesNamesAndDrawsNoValueThatALogarithmHasNot) {
  Plot plot{.title = "a < b & c", .series = {{"p50", {{0, 0}, {1, 10}, {2, 100}}}}, .log_y = true};
  const std::string picture = svg(plot);
  EXPECT_NE(picture.find("a &lt; b &amp; c"), std::string::npos);
  EXPECT_EQ(picture.find("nan"), std::string::npos);
  EXPECT_EQ(picture.find("inf"), std::string::npos);
  EXPECT_EQ(svg({.title = "empty"}).find("nan"), std::string::npos);
}

}  // namespace
}  // namespace infer::cli
