#pragma once

#include <cstddef>
#include <cstdint>

namespace infer::inline v0 {

/// The row-by-row operations between the products of an int8 network. Each row has its own scale, so that
/// other rows of the batch do not change it: its largest magnitude is 127 steps, and 128 stands for zero.
///
/// Rows lie one after the other, `columns` long. The functions allocate nothing; `out` must not overlap the
/// inputs unless a function works in place.

/// Writes the step size of row r to `scales[r]` and 128 + x / step, rounded to the nearest whole
/// number with ties to even, to `out`.
void quantize_rows(const float* x, std::size_t rows, std::size_t columns, std::uint8_t* out, float* scales);

/// Quantizes, as `quantize_rows` does, the layer norm of each row: (x - mean) / sqrt(variance + epsilon) *
/// weight[c] + bias[c]. `scratch` has room for a row. As in LibTorch, the variance divides by `columns`.
void norm_quantize_rows(const float* x, std::size_t rows, std::size_t columns, const float* weight,
                        const float* bias, float epsilon, float* scratch, std::uint8_t* out, float* scales);

/// Sets x = x * scales[r] + bias[c] (+ residual), in place; `bias` and `residual` may be null.
void scale_rows(float* x, std::size_t rows, std::size_t columns, const float* scales, const float* bias,
                const float* residual);

/// Computes x * scales[r] + bias[c], then silu (y / (1 + exp(-y)), with a relative error of 2e-7), then
/// `quantize_rows`. Overwrites `x`.
void silu_quantize_rows(float* x, std::size_t rows, std::size_t columns, const float* scales,
                        const float* bias, std::uint8_t* out, float* out_scales);

}  // namespace infer::inline v0
