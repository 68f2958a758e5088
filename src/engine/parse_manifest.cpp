#include "infer/engine/manifest.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "nearest_name.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// clang-format off
constexpr std::array<std::string_view, 17> kKeys{
    "task", "backend", "file", "inputs", "outputs", "preprocess", "labels", "precision", "weights", "source",
    "same_weights_as", "sha256", "batch", "workers", "intra_op_threads", "warmup", "history"};
constexpr std::array<std::string_view, 5> kBatchKeys{
    "max_batch_size", "allowed_batch_sizes", "max_queue_delay_ms", "max_queue_size", "max_batch_cost"};
constexpr std::array<std::string_view, 3> kSpecKeys{"name", "dtype", "shape"};
constexpr std::array<std::string_view, 3> kPreprocessKeys{"size", "mean", "std"};
constexpr std::array<std::string_view, 6> kTasks{
    "image-embedding", "text-embedding", "text-classification", "forecast", "simulate", "raw"};
constexpr std::array<std::string_view, 3> kPrecisions{"fp32", "bf16", "int8"};
constexpr std::array<std::string_view, 3> kWeights{"random", "imported", "trained"};
// clang-format on

Unexpected bad(const std::string& key, const std::string& what) {
  return fail(ErrorCode::kInvalidArgument, "infer.json: " + key + ": " + what);
}

template <std::size_t N>
Result<void> check_key(std::string_view key, const std::array<std::string_view, N>& known,
                       const std::string& where) {
  if (std::find(known.begin(), known.end(), key) != known.end()) return {};
  return fail(ErrorCode::kInvalidArgument, "infer.json: unknown key '" + where + std::string(key) +
                                               "'; did you mean '" + where +
                                               std::string(nearest_name(key, known)) + "'?");
}

Result<std::string> text(const std::string& key, element value) {
  std::string_view out;
  if (value.get(out) != simdjson::SUCCESS) return bad(key, "must be a string");
  return std::string(out);
}

template <std::size_t N>
Result<std::string> choice(const std::string& key, element value,
                           const std::array<std::string_view, N>& choices) {
  auto out = text(key, value);
  if (!out) return out;
  if (std::find(choices.begin(), choices.end(), *out) != choices.end()) return out;
  std::string list;
  for (const auto& name : choices) list += (list.empty() ? "" : ", ") + std::string(name);
  return bad(key, "'" + *out + "' is none of " + list);
}

Result<std::size_t> count(const std::string& key, element value) {
  std::uint64_t out = 0;
  if (value.get(out) != simdjson::SUCCESS) return bad(key, "must be a whole number, 0 or more");
  if (out > (std::uint64_t{1} << 40)) return bad(key, std::to_string(out) + " exceeds 2^40");
  return static_cast<std::size_t>(out);
}

Result<TensorSpec> tensor_spec(const std::string& key, element value) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad(key, "must be an object with name, dtype and shape");
  TensorSpec spec;
  bool has_shape = false;
  for (const auto& [field, content] : fields) {
    if (auto known = check_key(field, kSpecKeys, key + "."); !known) return Unexpected(known.error());
    const std::string path = key + "." + std::string(field);
    if (field == "shape") {
      array dims;
      if (content.get(dims) != simdjson::SUCCESS)
        return bad(path, "must be a list of dimensions, -1 for any");
      std::vector<std::int64_t> shape;
      for (const element dim : dims) {
        std::int64_t size = 0;
        if (dim.get(size) != simdjson::SUCCESS || size < -1)
          return bad(path, "dimensions are whole numbers of -1 or more");
        shape.push_back(size);
      }
      if (shape.size() >= Shape::kMaxRank) return bad(path, "has more than 7 dimensions");
      spec.shape = Shape(shape);
      has_shape = true;
      continue;
    }
    auto string = text(path, content);
    if (!string) return Unexpected(string.error());
    if (field == "name") {
      spec.name = *string;
    } else {
      const auto dtype = parse_dtype(*string);
      if (!dtype) return bad(path, "unknown dtype '" + *string + "'");
      spec.dtype = *dtype;
    }
  }
  if (spec.name.empty()) return bad(key, "needs a name");
  if (!has_shape) return bad(key, "needs a shape");
  return spec;
}

Result<std::vector<TensorSpec>> tensor_specs(const std::string& key, element value) {
  array list;
  if (value.get(list) != simdjson::SUCCESS) return bad(key, "must be a list");
  std::vector<TensorSpec> specs;
  for (const element item : list) {
    auto spec = tensor_spec(key + "[" + std::to_string(specs.size()) + "]", item);
    if (!spec) return Unexpected(spec.error());
    specs.push_back(*std::move(spec));
  }
  return specs;
}

Result<void> three_floats(const std::string& key, element value, float (&out)[3]) {
  array list;
  if (value.get(list) != simdjson::SUCCESS || list.size() != 3)
    return bad(key, "must be a list of 3 numbers");
  std::size_t i = 0;
  for (const element item : list) {
    double number = 0;
    if (item.get(number) != simdjson::SUCCESS) return bad(key, "must be a list of 3 numbers");
    out[i++] = static_cast<float>(number);
  }
  return {};
}

Result<ImagePreprocess> preprocess(element value) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad("preprocess", "must be an object");
  ImagePreprocess out;
  for (const auto& [field, content] : fields) {
    if (auto known = check_key(field, kPreprocessKeys, "preprocess."); !known)
      return Unexpected(known.error());
    Result<void> done;
    if (field == "size") {
      auto size = count("preprocess.size", content);
      if (!size) return Unexpected(size.error());
      if (*size == 0 || *size > 4096)
        return bad("preprocess.size", std::to_string(*size) + " is outside 1 to 4096");
      out.size = *size;
    } else {
      done = three_floats("preprocess." + std::string(field), content, field == "mean" ? out.mean : out.std);
    }
    if (!done) return Unexpected(done.error());
  }
  for (const float deviation : out.std) {
    if (!(deviation > 0)) return bad("preprocess.std", "must be positive");
  }
  return out;
}

Result<void> batch(element value, Manifest& out) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad("batch", "must be an object");
  for (const auto& [field, content] : fields) {
    if (auto known = check_key(field, kBatchKeys, "batch."); !known) return known;
    const std::string path = "batch." + std::string(field);
    if (field == "allowed_batch_sizes") {
      array list;
      if (content.get(list) != simdjson::SUCCESS) return bad(path, "must be a list of sizes");
      out.allowed_batch_sizes.emplace();
      for (const element item : list) {
        auto size = count(path, item);
        if (!size) return Unexpected(size.error());
        out.allowed_batch_sizes->push_back(*size);
      }
    } else if (field == "max_queue_delay_ms") {
      double delay = 0;
      if (content.get(delay) != simdjson::SUCCESS || !(delay >= 0) || delay > 60000)
        return bad(path, "must be 0 to 60000");
      out.max_queue_delay_ms = delay;
    } else {
      auto number = count(path, content);
      if (!number) return Unexpected(number.error());
      (field == "max_batch_size"   ? out.max_batch_size
       : field == "max_queue_size" ? out.max_queue_size
                                   : out.max_batch_cost) = *number;
    }
  }
  return {};
}

template <class T, class U>
Result<void> store(Result<T>&& value, U& out) {
  if (!value) return Unexpected(value.error());
  out = *std::move(value);
  return {};
}

Result<void> set_key(std::string_view key_view, element value, Manifest& out) {
  const std::string key(key_view);
  if (auto known = check_key(key_view, kKeys, ""); !known) return known;
  if (key == "task") return store(choice(key, value, kTasks), out.task);
  if (key == "backend") return store(text(key, value), out.backend);
  if (key == "file") return store(text(key, value), out.file);
  if (key == "inputs") return store(tensor_specs(key, value), out.inputs);
  if (key == "outputs") return store(tensor_specs(key, value), out.outputs);
  if (key == "preprocess") return store(preprocess(value), out.preprocess);
  if (key == "precision") return store(choice(key, value, kPrecisions), out.precision);
  if (key == "weights") return store(choice(key, value, kWeights), out.weights);
  if (key == "batch") return batch(value, out);
  if (key == "workers") return store(count(key, value), out.workers);
  if (key == "intra_op_threads") return store(count(key, value), out.intra_op_threads);
  if (key == "warmup") return store(text(key, value), out.warmup);
  if (key == "labels") {
    array list;
    if (value.get(list) != simdjson::SUCCESS) return bad(key, "must be a list of strings");
    for (const element item : list) {
      auto label = text(key, item);
      if (!label) return Unexpected(label.error());
      out.labels.push_back(*std::move(label));
    }
  }
  return {};  // source, sha256, same_weights_as, history: notes for other readers
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(json);
  if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument,
                std::string("infer.json: not JSON: ") + simdjson::error_message(error));
  }
  object fields;
  if (root.get(fields) != simdjson::SUCCESS)
    return fail(ErrorCode::kInvalidArgument, "infer.json: must be an object");
  Manifest manifest;
  for (const auto& [key, value] : fields) {
    if (auto set = set_key(key, value, manifest); !set) return Unexpected(set.error());
  }
  if (fs::path(manifest.file).filename() != manifest.file) return bad("file", "must be a plain file name");
  return manifest;
}

}  // namespace infer::inline v0
