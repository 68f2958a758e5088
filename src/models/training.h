#pragma once

#include <cstddef>
#include <functional>
#include <vector>

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

/// What held-out rows show about a network.
struct RecurrentFit {
  std::size_t epochs = 0;     ///< Number of epochs after which the network was best.
  std::vector<float> spread;  ///< Half of the 80 % interval: [horizon, outputs], normalised.
};

}  // namespace infer::inline v0
