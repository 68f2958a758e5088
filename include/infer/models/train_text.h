#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

struct TrainTextOptions {
  std::filesystem::path base;  ///< models/NAME of a sentence embedder.
  std::filesystem::path data;  ///< CSV with a header line.
  std::string text_column = "text";
  std::string label_column = "label";
  double held_out = 0.2;                             ///< Share of rows that training never sees.
  std::uint64_t seed = 1;                            ///< Of the split.
  std::function<void(const std::string&)> progress;  ///< Hears a line now and then; may be empty.
};

/// How a head did on the rows that were held out.
struct TextReport {
  std::vector<std::string> labels;
  std::size_t trained = 0;  ///< Rows it learned from.
  std::size_t held_out = 0;
  double accuracy = 0;
  double log_loss = 0;  ///< Mean of -log p(right label): what calibration lowers.
  double calibration_error =
      0;  ///< Mean |confidence - accuracy| over ten bins of confidence (Guo et al., 2017).
  double regularisation = 0;                        ///< Chosen by cross-validation.
  double temperature = 1;                           ///< Divides the logits; chosen likewise.
  std::vector<std::vector<std::size_t>> confusion;  ///< [right label][label given], held-out rows.
};

/// Trains a linear head on the vectors of a sentence embedder: softmax regression with L2 regularisation,
/// which is convex, so that it has one best answer. Writes DIRECTORY with a model of the task
/// text-classification that holds embedder and head. The split keeps the share of each label. Blocking.
/// Errors: `kNotFound`, `kInvalidArgument` (a missing column, fewer than 2 labels, a label with fewer than 5
/// rows), `kFailedPrecondition` (DIRECTORY exists or cannot be written), and those of `TextEmbedder::open`.
INFER_EXPORT Result<TextReport> train_text(const TrainTextOptions& options,
                                           const std::filesystem::path& directory);

}  // namespace infer::inline v0
