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

/// What to train, and on which data.
struct TrainTextOptions {
  std::filesystem::path base;          ///< Folder models/NAME of a sentence embedder.
  std::filesystem::path data;          ///< CSV with a header line.
  std::string text_column = "text";    ///< Name of the column of texts.
  std::string label_column = "label";  ///< Name of the column of labels.
  double held_out = 0.2;               ///< Share of rows that training never sees, for the report.
  std::uint64_t seed = 1;              ///< Seed of the split.
  /// Receives a line of progress now and then; may be empty.
  std::function<void(const std::string&)> progress;
};

/// The accuracy of a head on the held-out rows.
struct TextReport {
  std::vector<std::string> labels;  ///< Labels, in the order of the model's logits.
  std::size_t trained = 0;          ///< Rows that the head learned from.
  std::size_t held_out = 0;         ///< Rows that measured the head.
  double accuracy = 0;              ///< Share of right answers.
  double log_loss = 0;              ///< Mean of -log p(right label), which calibration lowers.
  /// Mean |confidence - accuracy| over ten bins of confidence (Guo et al., 2017).
  double calibration_error = 0;
  double regularisation = 0;  ///< Strength of the L2 regularisation, chosen by cross-validation.
  double temperature = 1;     ///< Divides the logits; chosen by cross-validation.
  /// Numbers of held-out rows: [right label][given label].
  std::vector<std::vector<std::size_t>> confusion;
};

/// Trains a linear head on the vectors of a sentence embedder and writes DIRECTORY with both.
///
/// The head is a softmax regression with L2 regularisation, which is convex and so has a single best answer.
/// The new model has the task text-classification. The split keeps the share of each label. Blocking.
///
/// Errors: `kNotFound`, `kInvalidArgument` (a missing column, fewer than 2 labels, a label with fewer than 5
/// rows), `kFailedPrecondition` (DIRECTORY exists or cannot be written), and those of `TextEmbedder::open`.
INFER_EXPORT Result<TextReport> train_text(const TrainTextOptions& options,
                                           const std::filesystem::path& directory);

}  // namespace infer::inline v0
