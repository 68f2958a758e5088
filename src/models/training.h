#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"

// What trains with LibTorch, as seen from where no torch header is.

namespace infer::inline v0 {

/// Windows of a series, normalised: `inputs` [count, history, width], `targets` [count, horizon, outputs].
/// The first `outputs` of an input row are the targets' values.
struct Windows {
  std::size_t count = 0;
  std::size_t history = 0;
  std::size_t width = 0;
  std::size_t horizon = 0;
  std::size_t outputs = 0;
  std::vector<float> inputs;
  std::vector<float> targets;
};

/// Called after each epoch with its number and the validation loss.
using EpochHook = std::function<void(std::size_t epoch, double loss)>;

/// What rows that were held back say about a network.
struct RecurrentFit {
  std::size_t epochs = 0;     ///< After which it did best.
  std::vector<float> spread;  ///< Half of its 80 % interval: [horizon, outputs], normalised.
};

/// Trains a GRU or LSTM with Adam until the loss on `validation` has not fallen for a while, keeps the best
/// weights and saves them as TorchScript: window in; forecast, lower and upper (80 %, from the validation's
/// errors) out. The same seed gives the same model, to rounding. Errors: `kModelError` (a loss that is not
/// finite), `kUnimplemented`, `kOutOfMemory`.
Result<RecurrentFit> train_recurrent(bool lstm, std::uint64_t seed, const Windows& training,
                                     const Windows& validation, const EpochHook& hook,
                                     const std::filesystem::path& file);
/// The same for so many epochs, with nothing held back. Errors: as above.
Result<void> refit_recurrent(bool lstm, std::uint64_t seed, const Windows& training, const RecurrentFit& fit,
                             const std::filesystem::path& file);

/// A sentence embedder from `base` with a linear layer on the unit vector: logits = vector * weight^T + bias.
/// `weight` is [labels, dim]. Errors: `kModelError` (the base), `kUnimplemented`.
Result<void> build_text_head(const std::filesystem::path& base, const std::vector<float>& weight,
                             const std::vector<float>& bias, const std::filesystem::path& file);

}  // namespace infer::inline v0
