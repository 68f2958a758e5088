#include "infer/engine/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace infer {
namespace {

TEST(Tensor, RowsShareTheMemoryOfTheBatch) {
  auto batch = Tensor::allocate(DType::kFp32, Shape{2, 3}).value();
  for (std::size_t i = 0; i < 6; ++i) batch.as<float>()[i] = static_cast<float>(i);
  Tensor row = batch.row(1);
  EXPECT_EQ(row.shape(), Shape{3});
  EXPECT_EQ(row.as<float>()[2], 5.0F);
  row.as<float>()[0] = 9;
  EXPECT_EQ(batch.as<float>()[3], 9.0F);
  batch = Tensor();
  EXPECT_EQ(row.as<float>()[1], 4.0F) << "a row keeps the memory alive";
}

TEST(Tensor, MemoryIsAlignedForVectors) {
  for (const std::int64_t size : {1, 7, 1000}) {
    const auto tensor = Tensor::allocate(DType::kUint8, Shape{size}).value();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0u);
  }
}

TEST(Tensor, AnImpossibleSizeIsOutOfMemory) {
  const auto tensor = Tensor::allocate(DType::kFp64, Shape{1LL << 50});
  ASSERT_FALSE(tensor);
  EXPECT_EQ(tensor.error().code, ErrorCode::kOutOfMemory);
}

TEST(Shape, DescribesItself) {
  const Shape shape{3, 224, 224};
  EXPECT_EQ(shape.text(), "[3,224,224]");
  EXPECT_EQ(shape.elements(), 150528u);
  EXPECT_EQ(shape.with_batch(8), (Shape{8, 3, 224, 224}));
  EXPECT_EQ(shape.with_batch(8).without_batch(), shape);
  EXPECT_EQ(Shape{}.elements(), 1u);
  EXPECT_EQ((Shape{4, 0}).elements(), 0u);
}

TEST(DTypes, NamesGoBothWays) {
  for (const DType dtype :
       {DType::kBool, DType::kUint8, DType::kFp16, DType::kBf16, DType::kFp32, DType::kInt64}) {
    EXPECT_EQ(parse_dtype(to_string(dtype)), dtype);
  }
  EXPECT_FALSE(parse_dtype("float32"));
  EXPECT_EQ(element_size(DType::kBf16), 2u);
}

}  // namespace
}  // namespace infer
