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

/// What making models asks of LibTorch. src/torch/{models,quantize,train} define all of it, in a build with
/// LibTorch; call it by `with_torch`. Each writes a TorchScript file.
namespace infer::inline v0::libtorch {

/// Fills the architecture from the checkpoint. Errors: those of `Checkpoint::check`, `kUnimplemented`,
/// `kFailedPrecondition`. `config` is one that `check_clip_vit` finds nothing wrong with.
Result<void> build_clip_vit(const ClipVitConfig& config, Checkpoint& checkpoint,
                            const std::filesystem::path& file);
/// The same with random weights, the same ones for the same seed.
Result<void> build_random_clip_vit(const ClipVitConfig& config, std::uint64_t seed,
                                   const std::filesystem::path& file);
/// Fills the architecture from the checkpoint. Errors: those of `Checkpoint::check`, `kUnimplemented`,
/// `kFailedPrecondition`, `kInvalidArgument` (sizes).
Result<void> build_bert(const BertConfig& config, Checkpoint& checkpoint, const std::filesystem::path& file);
/// A sentence embedder from `base` with a linear layer on the unit vector: logits = vector * weight^T + bias.
/// `weight` is [labels, dim]. Errors: `kModelError` (the base).
Result<void> build_text_head(const std::filesystem::path& base, const std::vector<float>& weight,
                             const std::vector<float>& bias, const std::filesystem::path& file);

/// Trains a GRU or LSTM with Adam until the loss on `validation` has not fallen for a while and keeps the
/// best weights: window in; forecast, lower and upper (80 %, from the validation's errors) out. The same seed
/// gives the same model, to rounding. Errors: `kModelError` (a loss that is not finite), `kOutOfMemory`.
Result<RecurrentFit> train_recurrent(bool lstm, std::uint64_t seed, const Windows& training,
                                     const Windows& validation, const EpochHook& hook,
                                     const std::filesystem::path& file);
/// The same for so many epochs, with nothing held back. Errors: as above.
Result<void> refit_recurrent(bool lstm, std::uint64_t seed, const Windows& training, const RecurrentFit& fit,
                             const std::filesystem::path& file);

/// The part of `quantize_model` from file to file. Fills in the layers of `report`.
Result<void> quantize(const std::filesystem::path& from, const std::filesystem::path& to,
                      const std::string& precision, QuantizeReport& report);

}  // namespace infer::inline v0::libtorch
