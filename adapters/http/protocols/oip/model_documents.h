#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infer/serving/served_models.h"

namespace infer::http {

/// JSON descriptions of models for the Open Inference Protocol and Triton's extensions.

std::string model_metadata(const ServedModel& model, const std::vector<std::string>& versions);
/// Batch sizes, queue delay and instances.
std::string model_config(const ServedModel& model);
/// Counts and total times of the requests so far.
std::string model_statistics(const std::vector<std::shared_ptr<ServedModel>>& models);
/// The metrics of /metrics under Triton's names.
std::string triton_metrics(const std::vector<std::shared_ptr<ServedModel>>& models);

}  // namespace infer::http
