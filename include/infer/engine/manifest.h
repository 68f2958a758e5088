#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/settings.h"
#include "infer/engine/signature.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// How an image becomes a model's input; the defaults are those of CLIP.
///
/// Each channel of a pixel becomes (value / 255 - mean) / std. The numbers are those of OpenAI's CLIP.
struct ImagePreprocess {
  std::size_t size = 224;  ///< Edge of the square input, in pixels.
  /// Subtracted from red, green and blue, on a scale of 0 to 1.
  float mean[3] = {0.48145466F, 0.4578275F, 0.40821073F};
  /// Divides red, green and blue after `mean` was subtracted.
  float std[3] = {0.26862954F, 0.26130258F, 0.27577711F};
};

/// How a text becomes a model's input.
struct TokenizerSpec {
  /// File in the version's folder with one token per line; the id of a token is its line number from 0.
  std::string vocab = "vocab.txt";
  bool lowercase = true;  ///< Lowercases letters, and strips accents unless `strip_accents` says otherwise.
  std::optional<bool> strip_accents = {};  ///< Strips accents; empty: as `lowercase`.
  /// Maximum length in tokens, the two special tokens included; longer texts are cut.
  std::size_t max_tokens = 512;
  std::string type = "wordpiece";  ///< A row of the table of tokenizers: "wordpiece", as in BERT.
};

/// How a series becomes a model's input and how a model's output becomes a forecast.
struct SeriesSpec {
  /// Columns of a row: first the targets, then the features given with each row.
  std::vector<std::string> columns;
  std::size_t targets = 1;  ///< Number of leading `columns` that the model forecasts.
  /// Features computed from the time of a row, placed after `columns`.
  std::vector<std::string> calendar;
  std::size_t history = 10;     ///< Rows in the model's input.
  std::size_t horizon = 1;      ///< Rows in the model's output.
  std::string time;             ///< Name of the column of times; empty: rows are numbered.
  double step_seconds = 0;      ///< Seconds from row to row; 0 if rows are numbered or the step is in months.
  std::size_t step_months = 0;  ///< Months from row to row; 0 if the step is not in whole months.
  /// Subtracted from the inputs: one number for each of `columns`, then for each of `calendar`.
  std::vector<double> mean;
  /// Divides the inputs after `mean` was subtracted, in the order of `mean`; 1 for a constant column.
  std::vector<double> scale;
};

/// The contents of models/NAME/infer.json: the purpose of a model, and the settings to run it with.
///
/// docs/models.md describes the keys, docs/settings.md those of the settings.
struct Manifest : PartialSettings {
  std::string name;  ///< Name of the model's folder; not a key of infer.json.
  /// "image-embedding", "text-embedding", "text-classification", "forecast", "simulate" or "raw".
  std::string task = "raw";
  std::string backend = "torchscript";  ///< Name of a `BackendEntry`.
  std::string file = "model.pt";        ///< Model file in the version's folder.
  std::vector<TensorSpec> inputs;       ///< Inputs without batch dimension; empty: taken from the model.
  std::vector<TensorSpec> outputs;      ///< Outputs without batch dimension; empty: taken from the model.
  std::optional<ImagePreprocess> preprocess;  ///< For models that take images.
  std::optional<TokenizerSpec> tokenizer;     ///< For models that take texts.
  std::optional<SeriesSpec> series;           ///< For models that take series.
  std::vector<std::string> labels;            ///< Labels of a classifier, in the order of its logits.
  /// What a classifier's logits become; empty: "softmax".
  ///
  /// "softmax": one label is right. "sigmoid": each label is right or wrong by itself. "none": the values are
  /// a regression's.
  std::string scores;
  std::string precision = "fp32";    ///< "fp32", "fp16", "bf16" or "int8".
  std::string weights = "imported";  ///< "random", "imported" or "trained".
  std::string source;                ///< Origin of the weights: a JSON object as text, or empty.
  std::string same_weights_as;       ///< A version whose answers this version must reproduce; empty: none.
  /// SHA-256 digests of the version's files in hexadecimal, by file name; checked before the model loads.
  std::map<std::string, std::string> sha256;
  /// Versions that a server serves: "promoted", "latest", "all" or "specific".
  ///
  /// "promoted" is the version in the file PROMOTED, else the latest. "specific" is the list in `versions`.
  std::string version_policy = "promoted";
  std::vector<std::string> versions;  ///< Versions to serve if `version_policy` is "specific".
};

/// Reads the text of an infer.json.
///
/// Errors: `kInvalidArgument`, naming the key; for an unknown key the message names the nearest known key.
/// `kUnimplemented` in a build without the JSON parser.
INFER_EXPORT Result<Manifest> parse_manifest(std::string_view json);
/// Returns the text of an infer.json that `parse_manifest` reads back as `manifest`.
INFER_EXPORT std::string manifest_json(const Manifest& manifest);

/// Writes DIRECTORY/infer.json in one step: a reader sees the whole old file or the whole new file.
///
/// Blocks until the file is on disk.
///
/// Errors: `kFailedPrecondition` (the file cannot be written).
INFER_EXPORT Result<void> write_manifest(const Manifest& manifest, const std::filesystem::path& directory);

/// Reads the manifest of a model, or of one version of it.
///
/// The file is DIRECTORY/VERSION/infer.json if it exists, else DIRECTORY/infer.json; the model's name is the
/// folder's. Blocking.
///
/// Errors: `kNotFound`, and those of `parse_manifest`.
INFER_EXPORT Result<Manifest> read_manifest(const std::filesystem::path& directory,
                                            const std::string& version = {});
/// Returns the versions to serve from models/NAME, as `Manifest::version_policy` says.
///
/// The first version answers requests that name none. Blocking.
///
/// Errors: those of `choose_version` and `read_manifest`; `kNotFound` (a listed version does not exist).
INFER_EXPORT Result<std::vector<std::string>> served_versions(const std::filesystem::path& directory);
/// Returns the version to serve from models/NAME: the line in PROMOTED, else the latest.
///
/// Versions are ordered as people count: 9 before 10, 1.9 before 1.10, 1-int8 before 1. Blocking.
///
/// Errors: `kNotFound` (no version), `kInvalidArgument` (a name outside [A-Za-z0-9._-]{1,64}),
/// `kFailedPrecondition` (PROMOTED cannot be read).
INFER_EXPORT Result<std::string> choose_version(const std::filesystem::path& directory);

}  // namespace infer::inline v0
