#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "architectures.h"
#include "checkpoint.h"
#include "infer/core/result.h"
#include "infer/models/clip_vit.h"
#include "infer/models/quantize.h"
#include "training.h"

/// The functions of LibTorch that make models. src/torch/{models,quantize,train} define them in a build with
/// LibTorch; call them through `with_torch`. Each writes a TorchScript file.
namespace infer::inline v0::libtorch {

/// Fills the architecture from the checkpoint. Errors: those of `Checkpoint::check`, `kUnimplemented`,
/// `kFailedPrecondition`. `config` must pass `check_clip_vit`.
Result<void> build_clip_vit(const ClipVitConfig& config, Checkpoint& checkpoint,
                            const std::filesystem::path& file);
/// Builds the architecture with random weights, which depend only on the seed.
Result<void> build_random_clip_vit(const ClipVitConfig& config, std::uint64_t seed,
                                   const std::filesystem::path& file);
/// Fills the architecture from the checkpoint. Errors: those of `Checkpoint::check`, `kUnimplemented`,
/// `kFailedPrecondition`, `kInvalidArgument` (sizes).
Result<void> build_bert(const BertConfig& config, Checkpoint& checkpoint, const std::filesystem::path& file);
/// Adds a linear layer to the sentence embedder `base`: logits = unit vector * weight^T + bias. `weight` is
/// [labels, dim]. Errors: `kModelError` (the base).
Result<void> build_text_head(const std::filesystem::path& base, const std::vector<float>& weight,
                             const std::vector<float>& bias, const std::filesystem::path& file);

/// Trains a GRU or LSTM with Adam until the loss on `validation` has not fallen for a while, and keeps the
/// best weights. The model takes a window and returns forecast, lower and upper (80 %, from the errors on
/// `validation`). The same seed gives the same model, up to rounding. Errors: `kModelError` (a loss that is
/// not finite), `kOutOfMemory`.
Result<RecurrentFit> train_recurrent(bool lstm, std::uint64_t seed, const Windows& training,
                                     const Windows& validation, const EpochHook& hook,
                                     const std::filesystem::path& file);
/// Trains again for `fit.epochs` epochs, with no rows held back. Errors: those of `train_recurrent`.
Result<void> refit_recurrent(bool lstm, std::uint64_t seed, const Windows& training, const RecurrentFit& fit,
                             const std::filesystem::path& file);

/// Quantises a model file for `quantize_model` and fills in the layers of `report`.
Result<void> quantize(const std::filesystem::path& from, const std::filesystem::path& to,
                      const std::string& precision, QuantizeReport& report);

}  // namespace infer::inline v0::libtorch
