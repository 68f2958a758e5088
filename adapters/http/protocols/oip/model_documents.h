#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infer/serving/served_models.h"

namespace infer::http {

/// What the Open Inference Protocol, and Triton's extensions of it, say of models; all are JSON texts.

/// Names, datatypes and shapes of inputs and outputs.
std::string model_metadata(const ServedModel& model, const std::vector<std::string>& versions);
/// How the model is run: batch sizes, queue delay, instances.
std::string model_config(const ServedModel& model);
/// What its requests took so far.
std::string model_statistics(const std::vector<std::shared_ptr<ServedModel>>& models);
/// Triton's names for what /metrics has under ours.
std::string triton_metrics(const std::vector<std::shared_ptr<ServedModel>>& models);

}  // namespace infer::http
