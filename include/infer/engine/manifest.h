#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/signature.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// How an image becomes a model's input; the defaults are CLIP's.
struct ImagePreprocess {
  std::size_t size = 224;  ///< Edge of the square input, in pixels.
  float mean[3] = {0.48145466F, 0.4578275F, 0.40821073F};
  float std[3] = {0.26862954F, 0.26130258F, 0.27577711F};
};

/// How a text becomes a model's input: WordPiece as in BERT.
struct TokenizerSpec {
  std::string vocab = "vocab.txt";  ///< In the version's folder: one token a line, its id the line's number.
  bool lowercase = true;            ///< Also strips accents, unless `strip_accents` says otherwise.
  std::optional<bool> strip_accents = {};
  std::size_t max_tokens = 512;  ///< Longer texts are cut; the two special tokens count.
};

/// How a series becomes a model's input and its output a forecast. Lists have one element for each column.
struct SeriesSpec {
  std::vector<std::string> columns;   ///< Of a row: the targets first, then the features given with each row.
  std::size_t targets = 1;            ///< How many of `columns` are forecast.
  std::vector<std::string> calendar;  ///< Features computed from the time of a row, after `columns`.
  std::size_t history = 10;           ///< Rows the model looks back on.
  std::size_t horizon = 1;            ///< Rows one forward gives.
  std::string time;                   ///< The column of times; empty: rows are numbered.
  double step_seconds = 0;            ///< Time from row to row; 0 where rows are numbered or months.
  std::size_t step_months = 0;        ///< The same in months; 0 where it is no whole number of months.
  std::vector<double> mean;           ///< Of inputs, `columns` and `calendar`: what is subtracted first.
  std::vector<double> scale;          ///< Of inputs: what they are divided by then; 1 for a constant column.
};

/// The contents of models/NAME/infer.json: what a model is for and how to run it.
struct Manifest {
  std::string name;  ///< Not a key: the folder's name.
  std::string task = "raw";
  std::string backend = "torchscript";
  std::string file = "model.pt";
  std::vector<TensorSpec> inputs;  ///< Empty: taken from the model itself.
  std::vector<TensorSpec> outputs;
  std::optional<ImagePreprocess> preprocess;
  std::optional<TokenizerSpec> tokenizer;
  std::optional<SeriesSpec> series;
  std::vector<std::string> labels;
  /// What a classifier's logits become: "softmax" (one label is right), "sigmoid" (each label by itself), or
  /// "none" (values as they are, of a regression). Empty: softmax.
  std::string scores;
  std::string precision = "fp32";
  std::string weights = "imported";  ///< "random", "imported" or "trained".
  std::string source;                ///< Where the weights come from: a JSON object as text, or empty.
  std::string same_weights_as;       ///< A version whose answers this one must give; empty: none.
  std::map<std::string, std::string>
      sha256;  ///< Of the version's files, in hexadecimal; checked before load.

  // "batch": what to run it with, unless options say otherwise.
  std::optional<std::size_t> max_batch_size;
  std::optional<std::size_t> max_queue_size;
  std::optional<std::size_t> max_batch_cost;
  std::optional<double> max_queue_delay_ms;
  std::optional<std::vector<std::size_t>> allowed_batch_sizes;
  std::vector<std::size_t> allowed_lengths;  ///< What tasks pad a dimension of any size to; ascending.
  /// Which versions a server serves: "promoted" (the one in PROMOTED, else the latest), "latest", "all", or
  /// "specific", those of `versions`.
  std::string version_policy = "promoted";
  std::vector<std::string> versions;
  std::optional<std::size_t> workers;
  std::optional<std::size_t> intra_op_threads;
  std::optional<std::string> warmup;
};

/// Reads the text of an infer.json. Errors: `kInvalidArgument`, naming the key; an unknown key names the
/// nearest known.
INFER_EXPORT Result<Manifest> parse_manifest(std::string_view json);
/// The text of an infer.json that `parse_manifest` reads back as `manifest`.
INFER_EXPORT std::string manifest_json(const Manifest& manifest);

/// Writes DIRECTORY/infer.json so that a reader sees the old or the new one, whole. Errors:
/// `kFailedPrecondition`.
INFER_EXPORT Result<void> write_manifest(const Manifest& manifest, const std::filesystem::path& directory);

/// Reads DIRECTORY/VERSION/infer.json where there is one, else DIRECTORY/infer.json; the name is the
/// folder's. Errors: `kNotFound`, and those of `parse_manifest`.
INFER_EXPORT Result<Manifest> read_manifest(const std::filesystem::path& directory,
                                            const std::string& version = {});
/// The versions to serve from models/NAME, as the `version_policy` of its infer.json says; the first is the
/// one for requests that name none. Errors: those of `choose_version` and `read_manifest`; `kNotFound` (a
/// version that is listed).
INFER_EXPORT Result<std::vector<std::string>> served_versions(const std::filesystem::path& directory);
/// The version to serve from models/NAME: the line in PROMOTED, else the latest, as people count: 9 before
/// 10, 1.9 before 1.10, 1-int8 before 1. Errors: `kNotFound` where there is no version, `kInvalidArgument`
/// for a name outside [A-Za-z0-9._-]{1,64}, `kFailedPrecondition` for a PROMOTED that cannot be read.
INFER_EXPORT Result<std::string> choose_version(const std::filesystem::path& directory);

}  // namespace infer::inline v0
