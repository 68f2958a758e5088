#pragma once

#include <cstring>
#include <span>

#include "infer/core/result.h"
#include "infer/engine/buffer_pool.h"
#include "infer/engine/tensor.h"

namespace infer::inline v0 {

/// Returns true if the rows are contiguous in memory, as the rows of one request or one batch often are.
template <class Row>
bool are_adjacent(std::size_t count, Row row) {
  const Tensor& first = row(0);
  for (std::size_t i = 1; i < count; ++i) {
    const Tensor& next = row(i);
    if (next.owner() != first.owner() || next.data() != first.data() + i * first.bytes()) return false;
  }
  return true;
}

/// Returns true if all rows have one dtype and one shape, and `shape` is that shape with one more dimension
/// in front. A shape of maximum rank has no room for it; the result is then false.
template <class Row>
bool are_rows_of(const Shape& shape, std::size_t count, Row row) {
  const Tensor& first = row(0);
  for (std::size_t i = 1; i < count; ++i) {
    if (row(i).dtype() != first.dtype() || row(i).shape() != first.shape()) return false;
  }
  return shape.without_batch() == first.shape();
}

/// Stacks the tensors row(0) to row(count - 1) along a new first dimension: a view if they are contiguous,
/// else a copy in memory of `pool`. Errors: `kOutOfMemory`, `kInternal` (dtypes or shapes differ).
template <class Row>
Result<Tensor> stack(const BufferPool& pool, std::size_t count, Row row) {
  const Tensor& first = row(0);
  const Shape shape = first.shape().with_batch(static_cast<std::int64_t>(count));
  if (!are_rows_of(shape, count, row))
    return fail(ErrorCode::kInternal, "tensors of different dtypes or shapes cannot be stacked");
  if (are_adjacent(count, row)) return first.reshaped(shape);
  auto stacked = pool.tensor(first.dtype(), shape);
  if (!stacked) return stacked;
  const std::size_t bytes = first.bytes();
  if (bytes == 0) return stacked;  // empty rows may have no memory to copy
  std::byte* out = stacked->data();
  for (std::size_t i = 0; i < count; ++i, out += bytes) std::memcpy(out, row(i).data(), bytes);
  return stacked;
}

}  // namespace infer::inline v0
