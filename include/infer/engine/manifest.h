#pragma once

#include <cstddef>
#include <filesystem>
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

/// The contents of models/NAME/infer.json: what a model is for and how to run it.
struct Manifest {
  std::string name;  ///< Not a key: the folder's name.
  std::string task = "raw";
  std::string backend = "torchscript";
  std::string file = "model.pt";
  std::vector<TensorSpec> inputs;  ///< Empty: taken from the model itself.
  std::vector<TensorSpec> outputs;
  std::optional<ImagePreprocess> preprocess;
  std::vector<std::string> labels;
  std::string precision = "fp32";
  std::string weights = "imported";  ///< "random", "imported" or "trained".

  // "batch": what to run it with, unless options say otherwise.
  std::optional<std::size_t> max_batch_size;
  std::optional<std::size_t> max_queue_size;
  std::optional<std::size_t> max_batch_cost;
  std::optional<double> max_queue_delay_ms;
  std::optional<std::vector<std::size_t>> allowed_batch_sizes;
  std::optional<std::size_t> workers;
  std::optional<std::size_t> intra_op_threads;
  std::optional<std::string> warmup;
};

/// Reads the text of an infer.json. Errors: `kInvalidArgument`, naming the key; an unknown key names the
/// nearest known.
INFER_EXPORT Result<Manifest> parse_manifest(std::string_view json);
/// Reads DIRECTORY/infer.json; the name is the folder's. Errors: `kNotFound`, and those of `parse_manifest`.
INFER_EXPORT Result<Manifest> read_manifest(const std::filesystem::path& directory);
/// The version to serve from models/NAME: the line in PROMOTED, else the highest number (or last name).
/// Errors: `kNotFound` where there is no version, `kInvalidArgument` for a name outside [A-Za-z0-9._-]{1,64}.
INFER_EXPORT Result<std::string> choose_version(const std::filesystem::path& directory);

}  // namespace infer::inline v0
