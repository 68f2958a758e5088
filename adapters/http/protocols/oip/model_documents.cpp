#include "protocols/oip/model_documents.h"

#include <array>
#include <utility>

#include "engine/json_writer.h"
#include "protocols/oip/inference_response.h"

namespace infer::http {

namespace {

/// Returns the dimensions of a spec. A spec without a shape is shown as one dimension of any size.
std::vector<std::int64_t> dims_of(const TensorSpec& spec) {
  if (spec.any_rank) return {-1};
  return {spec.shape.dims().begin(), spec.shape.dims().end()};
}

void write_dims(JsonWriter& json, const std::vector<std::int64_t>& dims) {
  json.begin_array();
  for (const std::int64_t dim : dims) json.value(dim);
  json.end_array();
}

void write_specs(JsonWriter& json, const char* key, const std::vector<TensorSpec>& specs) {
  json.key(key).begin_array();
  for (const TensorSpec& spec : specs) {
    json.begin_object().key("name").value(spec.name).key("datatype").value(to_string(spec.dtype));
    auto dims = dims_of(spec);
    dims.insert(dims.begin(), -1);
    write_dims(json.key("shape"), dims);
    json.end_object();
  }
  json.end_array();
}

void write_config_specs(JsonWriter& json, const char* key, const std::vector<TensorSpec>& specs) {
  json.key(key).begin_array();
  for (const TensorSpec& spec : specs) {
    json.begin_object().key("name").value(spec.name);
    json.key("data_type").value("TYPE_" + std::string(to_string(spec.dtype)));
    write_dims(json.key("dims"), dims_of(spec));
    json.end_object();
  }
  json.end_array();
}

void write_sum(JsonWriter& json, const char* key, std::uint64_t count, std::uint64_t ns) {
  json.key(key).begin_object().key("count").value(count).key("ns").value(ns).end_object();
}

std::uint64_t nanoseconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

void write_statistics(JsonWriter& json, const ServedModel& model) {
  const Model& loaded = model.engine->model();
  const auto batches = model.engine->batch_times();
  const RequestStatistics::Snapshot now = model.statistics->read();
  std::uint64_t executions = 0;
  for (const BatchTimes& batch : batches) executions += batch.count;
  json.begin_object().key("name").value(loaded.name).key("version").value(loaded.version);
  json.key("last_inference").value(now.last_inference_ms).key("inference_count").value(now.inferences);
  json.key("execution_count").value(executions);
  json.key("inference_stats").begin_object();
  write_sum(json, "success", now.success.count, now.success.ns);
  write_sum(json, "fail", now.fail.count, now.fail.ns);
  write_sum(json, "queue", now.queue.count, now.queue.ns);
  write_sum(json, "compute_input", now.compute_input.count, now.compute_input.ns);
  write_sum(json, "compute_infer", now.compute_infer.count, now.compute_infer.ns);
  write_sum(json, "compute_output", now.compute_output.count, now.compute_output.ns);
  write_sum(json, "cache_hit", 0, 0);
  write_sum(json, "cache_miss", 0, 0);
  json.end_object();
  json.key("response_stats").begin_object().end_object();
  json.key("batch_stats").begin_array();
  for (const BatchTimes& batch : batches) {
    json.begin_object().key("batch_size").value(batch.batch_size);
    write_sum(json, "compute_input", batch.count, nanoseconds(batch.collate));
    write_sum(json, "compute_infer", batch.count, nanoseconds(batch.forward));
    write_sum(json, "compute_output", batch.count, nanoseconds(batch.split));
    json.end_object();
  }
  json.end_array();
  json.key("memory_usage").begin_array().end_array().end_object();
}

}  // namespace

std::string model_metadata(const ServedModel& model, const std::vector<std::string>& versions) {
  const Model& loaded = model.engine->model();
  JsonWriter json;
  json.begin_object().key("name").value(loaded.name).key("versions").begin_array();
  for (const std::string& version : versions) json.value(version);
  json.end_array().key("platform").value(loaded.platform);
  write_specs(json, "inputs", loaded.backend->signature().inputs);
  write_specs(json, "outputs", loaded.backend->signature().outputs);
  json.end_object();
  return std::move(json).text();
}

std::string model_config(const ServedModel& model) {
  const Model& loaded = model.engine->model();
  const EngineOptions& options = model.engine->options();
  JsonWriter json;
  json.begin_object().key("name").value(loaded.name).key("platform").value(loaded.platform);
  json.key("backend").value(loaded.manifest.backend);
  json.key("version_policy").begin_object().key("latest").begin_object();
  json.key("num_versions").value(1).end_object().end_object();
  json.key("max_batch_size").value(options.batch.max_batch_size);
  write_config_specs(json, "input", loaded.backend->signature().inputs);
  write_config_specs(json, "output", loaded.backend->signature().outputs);
  json.key("dynamic_batching").begin_object().key("preferred_batch_size").begin_array();
  for (const std::size_t size : options.batch.allowed_batch_sizes) json.value(size);
  json.end_array();
  json.key("max_queue_delay_microseconds").value(options.batch.max_queue_delay.count()).end_object();
  json.key("instance_group").begin_array().begin_object();
  json.key("name").value(loaded.name + "_0").key("kind").value("KIND_CPU");
  json.key("count").value(options.threads.workers).end_object().end_array();
  json.key("default_model_filename").value(loaded.manifest.file);
  json.key("parameters").begin_object().key("task").begin_object();
  json.key("string_value").value(loaded.manifest.task).end_object().end_object();
  json.key("model_transaction_policy").begin_object().key("decoupled").value(false).end_object();
  json.end_object();
  return std::move(json).text();
}

std::string model_statistics(const std::vector<std::shared_ptr<ServedModel>>& models) {
  JsonWriter json;
  json.begin_object().key("model_stats").begin_array();
  for (const auto& model : models) write_statistics(json, *model);
  json.end_array().end_object();
  return std::move(json).text();
}

std::string triton_metrics(const std::vector<std::shared_ptr<ServedModel>>& models) {
  struct Row {
    const char* name;
    const char* help;
    std::uint64_t (*value)(const ServedModel& model, const RequestStatistics::Snapshot& now);
    const char* type = "counter";
  };
  using Now = RequestStatistics::Snapshot;
  static constexpr std::array<Row, 11> kRows{{
      {"nv_inference_request_success", "Number of successful inference requests, all batch sizes",
       [](const ServedModel&, const Now& now) { return now.success.count; }},
      {"nv_inference_request_failure", "Number of failed inference requests, all batch sizes",
       [](const ServedModel&, const Now& now) { return now.fail.count; }},
      {"nv_inference_count", "Number of inferences performed",
       [](const ServedModel&, const Now& now) { return now.inferences; }},
      {"nv_inference_exec_count", "Number of model executions performed",
       [](const ServedModel& model, const Now&) {
         std::uint64_t count = 0;
         for (const BatchTimes& batch : model.engine->batch_times()) count += batch.count;
         return count;
       }},
      {"nv_inference_request_duration_us", "Cumulative inference request duration in microseconds",
       [](const ServedModel&, const Now& now) { return now.success.ns / 1000; }},
      {"nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds",
       [](const ServedModel&, const Now& now) { return now.queue.ns / 1000; }},
      {"nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds",
       [](const ServedModel&, const Now& now) { return now.compute_input.ns / 1000; }},
      {"nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds",
       [](const ServedModel&, const Now& now) { return now.compute_infer.ns / 1000; }},
      {"nv_inference_compute_output_duration_us",
       "Cumulative inference compute output duration in microseconds",
       [](const ServedModel&, const Now& now) { return now.compute_output.ns / 1000; }},
      {"nv_inference_pending_request_count", "Instantaneous number of pending requests",
       [](const ServedModel& model, const Now&) {
         return static_cast<std::uint64_t>(model.engine->stats().scheduler.queue_size);
       },
       "gauge"},
      {"nv_model_ready_state", "Whether the model is ready",
       [](const ServedModel& model, const Now&) { return std::uint64_t{model.engine->ready()}; }, "gauge"},
  }};
  std::string out;
  for (const Row& row : kRows) {
    out +=
        std::string("# HELP ") + row.name + ' ' + row.help + "\n# TYPE " + row.name + ' ' + row.type + '\n';
    for (const auto& model : models) {
      const Model& loaded = model->engine->model();
      out += std::string(row.name) + "{model=\"" + loaded.name + "\",version=\"" + loaded.version + "\"} " +
             std::to_string(row.value(*model, model->statistics->read())) + '\n';
    }
  }
  return out;
}

}  // namespace infer::http
