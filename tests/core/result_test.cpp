#include "infer/core/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace infer {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::kInvalidArgument, "value: " + std::to_string(value) + " is odd");
  return value / 2;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(half(4).value(), 2);
  EXPECT_EQ(*half(4), 2);
  const auto bad = half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(bad.error().message, "value: 3 is odd");
  EXPECT_EQ(bad.value_or(9), 9);
}

TEST(Result, ValueOfAnErrorThrowsBadResultWithTheMessage) {
  try {
    (void)half(3).value();
    FAIL();
  } catch (const BadResult& e) {
    EXPECT_STREQ(e.what(), "value: 3 is odd");
  }
  const Result<void> nothing = fail(ErrorCode::kNotFound, "x");
  EXPECT_THROW(nothing.value(), BadResult);
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  EXPECT_EQ(*std::move(result).value(), 5);
}

TEST(Result, ErrorCodesHaveStableNames) {
  EXPECT_EQ(to_string(ErrorCode::kInvalidArgument), "InvalidArgument");
  EXPECT_EQ(to_string(ErrorCode::kDeadlineExceeded), "DeadlineExceeded");
}

}  // namespace
}  // namespace infer
