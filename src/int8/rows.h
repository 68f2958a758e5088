#pragma once

#include <cstddef>
#include <cstdint>

namespace infer::inline v0 {

/// What goes between the products of an int8 network, row by row. Each row has a scale of its own, so that
/// what shares its batch changes nothing: largest magnitude = 127 steps, and 128 stands for zero.
///
/// Rows lie one after the other, `columns` long. Nothing is allocated; `out` may not overlap the inputs
/// unless it is said.

/// `scales[r]` is the size of a step of row r; `out` has 128 + x / step, rounded to the nearest, ties to
/// even.
void quantize_rows(const float* x, std::size_t rows, std::size_t columns, std::uint8_t* out, float* scales);

/// The same of the layer norm of each row, (x - mean) / sqrt(variance + epsilon) * weight[c] + bias[c],
/// without writing it anywhere but to `scratch`, which has room for a row. Variance as LibTorch's: over
/// `columns`.
void norm_quantize_rows(const float* x, std::size_t rows, std::size_t columns, const float* weight,
                        const float* bias, float epsilon, float* scratch, std::uint8_t* out, float* scales);

/// x = x * scales[r] + bias[c] (+ residual), in place; `bias` and `residual` may be null.
void scale_rows(float* x, std::size_t rows, std::size_t columns, const float* scales, const float* bias,
                const float* residual);

/// x * scales[r] + bias[c], then silu (y / (1 + exp(-y)), to 2e-7 of its value), then `quantize_rows`, in one
/// go. `x` is overwritten.
void silu_quantize_rows(float* x, std::size_t rows, std::size_t columns, const float* scales,
                        const float* bias, std::uint8_t* out, float* out_scales);

}  // namespace infer::inline v0
