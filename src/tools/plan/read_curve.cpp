#include "infer/tools/read_curve.h"

#include <simdjson.h>

#include <algorithm>
#include <string_view>

namespace infer::inline v0::tools {

Result<MeasuredModel> read_curve(const std::string& file) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (const auto error = parser.load(file).get(root)) {
    return fail(error == simdjson::IO_ERROR ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
                file + ": " + simdjson::error_message(error));
  }
  MeasuredModel model;
  ServiceCurve& curve = model.curve;
  std::string_view name;
  std::uint64_t workers = 0;
  std::uint64_t threads = 0;
  double prepare = 0;
  double delay = 0;
  std::uint64_t most = 0;
  std::uint64_t queue = 0;
  simdjson::dom::array points;
  if (root["model"].get(name) != simdjson::SUCCESS || root["workers"].get(workers) != simdjson::SUCCESS ||
      root["intra_op_threads"].get(threads) != simdjson::SUCCESS ||
      root["prepare_ms"].get(prepare) != simdjson::SUCCESS ||
      root["batches"].get(points) != simdjson::SUCCESS ||
      root["max_batch_size"].get(most) != simdjson::SUCCESS ||
      root["max_queue_size"].get(queue) != simdjson::SUCCESS ||
      root["max_queue_delay_ms"].get(delay) != simdjson::SUCCESS || workers == 0 || threads == 0) {
    return fail(ErrorCode::kInvalidArgument, file + ": is not the output of infer bench --json");
  }
  model.name = name;
  curve.workers = workers;
  curve.intra_op_threads = threads;
  curve.prepare = prepare / 1e3;
  for (const simdjson::dom::element point : points) {
    std::uint64_t batch = 0;
    double alone = 0;
    double side_by_side = 0;
    if (point["batch"].get(batch) != simdjson::SUCCESS || point["alone_ms"].get(alone) != simdjson::SUCCESS ||
        point["forward_ms"].get(side_by_side) != simdjson::SUCCESS || batch == 0 || alone <= 0 ||
        side_by_side <= 0) {
      return fail(ErrorCode::kInvalidArgument,
                  file + ": batches: each entry needs batch, alone_ms and forward_ms");
    }
    curve.points.push_back({batch, alone / 1e3, side_by_side / 1e3});
    if (batch <= most) model.batch.allowed_batch_sizes.push_back(batch);
  }
  if (curve.points.empty()) return fail(ErrorCode::kInvalidArgument, file + ": batches: is empty");
  std::ranges::sort(curve.points, {}, &ServiceCurve::Point::batch);
  std::ranges::sort(model.batch.allowed_batch_sizes);
  model.batch.max_batch_size = most;
  model.batch.max_queue_size = queue;
  model.batch.max_queue_delay = std::chrono::microseconds(static_cast<std::int64_t>(delay * 1e3));
  if (auto valid = validate(model.batch); !valid)
    return fail(ErrorCode::kInvalidArgument, file + ": " + valid.error().message);
  return model;
}

}  // namespace infer::inline v0::tools
