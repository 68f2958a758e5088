#include "infer/engine/manifest.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <span>

#include "nearest_name.h"
#include "read_setting.h"

namespace infer::inline v0 {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// clang-format off
constexpr std::array<std::string_view, 17> kKeys{
    "task", "backend", "file", "inputs", "outputs", "preprocess", "tokenizer", "series", "labels", "scores", "precision",
    "weights", "source", "same_weights_as", "sha256", "batch", "versions"};
constexpr std::array<std::string_view, 5> kTokenizerKeys{"type", "vocab", "lowercase", "strip_accents", "max_tokens"};
constexpr std::array<std::string_view, 10> kSeriesKeys{
    "columns", "targets", "calendar", "history", "horizon", "time", "step_seconds", "step_months", "mean", "scale"};
constexpr std::array<std::string_view, 6> kSpecKeys{
    "name", "dtype", "shape", "range", "max_shape", "same_shape_as"};
constexpr std::array<std::string_view, 3> kPreprocessKeys{"size", "mean", "std"};
constexpr std::array<std::string_view, 4> kPrecisions{"fp32", "fp16", "bf16", "int8"};
constexpr std::array<std::string_view, 3> kPolicies{"promoted", "latest", "all"};
constexpr std::array<std::string_view, 3> kScores{"softmax", "sigmoid", "none"};
constexpr std::array<std::string_view, 3> kWeights{"random", "imported", "trained"};
// clang-format on

Unexpected bad(const std::string& key, const std::string& what) {
  return fail(ErrorCode::kInvalidArgument, "infer.json: " + key + ": " + what);
}

Result<void> check_key(std::string_view key, std::span<const std::string_view> known,
                       const std::string& where) {
  if (std::find(known.begin(), known.end(), key) != known.end()) return {};
  return fail(ErrorCode::kInvalidArgument, "infer.json: unknown key '" + where + std::string(key) +
                                               "'; did you mean '" + where +
                                               std::string(nearest_name(key, known)) + "'?");
}

Result<std::string> text(const std::string& key, element value) {
  std::string_view out;
  if (value.get(out) != simdjson::SUCCESS) return bad(key, "must be a string");
  if (out.find('\0') != std::string_view::npos)
    return bad(key, "contains a NUL character, which names must not contain");
  return std::string(out);
}

/// Returns true if `name` is a file beside the manifest. The system would end a name at a NUL, and open
/// another file than the name that a message shows.
bool is_plain_file_name(std::string_view name) {
  return name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos &&
         name != "." && name != "..";
}

template <std::size_t N>
Result<std::string> choice(const std::string& key, element value,
                           const std::array<std::string_view, N>& choices) {
  auto out = text(key, value);
  if (!out) return out;
  if (std::find(choices.begin(), choices.end(), *out) != choices.end()) return out;
  std::string list;
  for (const auto& name : choices) list += (list.empty() ? "" : ", ") + std::string(name);
  return bad(key, "'" + *out + "' is not one of " + list);
}

Result<std::size_t> count(const std::string& key, element value) {
  std::uint64_t out = 0;
  if (value.get(out) != simdjson::SUCCESS) return bad(key, "must be a whole number, 0 or more");
  if (out > (std::uint64_t{1} << 40)) return bad(key, std::to_string(out) + " exceeds 2^40");
  return static_cast<std::size_t>(out);
}

template <class T, class U>
Result<void> store(Result<T>&& value, U& out) {
  if (!value) return Unexpected(value.error());
  out = *std::move(value);
  return {};
}

Result<Shape> dimensions(const std::string& key, element value) {
  array dims;
  if (value.get(dims) != simdjson::SUCCESS) return bad(key, "must be a list of dimensions, -1 for any");
  std::vector<std::int64_t> shape;
  for (const element dim : dims) {
    std::int64_t size = 0;
    if (dim.get(size) != simdjson::SUCCESS || size < -1)
      return bad(key, "dimensions must be whole numbers, -1 or more");
    shape.push_back(size);
  }
  if (shape.size() >= Shape::kMaxRank) return bad(key, "has more than 7 dimensions");
  return Shape(shape);
}

Result<ValueRange> value_range(const std::string& key, element value) {
  array list;
  ValueRange range;
  if (value.get(list) != simdjson::SUCCESS || list.size() != 2 ||
      list.at(0).get(range.least) != simdjson::SUCCESS || list.at(1).get(range.greatest) != simdjson::SUCCESS)
    return bad(key, "must be two whole numbers, the least and the greatest value");
  if (range.least > range.greatest) {
    return bad(key, "the least, " + std::to_string(range.least) + ", exceeds the greatest, " +
                        std::to_string(range.greatest));
  }
  return range;
}

bool is_whole(DType dtype) { return dtype >= DType::kUint8 && dtype <= DType::kInt64; }

Result<TensorSpec> tensor_spec(const std::string& key, element value) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad(key, "must be an object with name, dtype and shape");
  TensorSpec spec;
  bool has_shape = false;
  for (const auto& [field, content] : fields) {
    if (auto known = check_key(field, kSpecKeys, key + "."); !known) return Unexpected(known.error());
    const std::string path = key + "." + std::string(field);
    Result<void> done;
    if (field == "name") done = store(text(path, content), spec.name);
    if (field == "shape") done = store(dimensions(path, content), spec.shape);
    if (field == "range") done = store(value_range(path, content), spec.range);
    if (field == "max_shape") done = store(dimensions(path, content), spec.max_shape);
    if (field == "same_shape_as") done = store(text(path, content), spec.same_shape_as);
    if (field == "dtype") {
      auto string = text(path, content);
      if (!string) return Unexpected(string.error());
      const auto dtype = parse_dtype(*string);
      if (!dtype) return bad(path, "unknown dtype '" + *string + "'");
      spec.dtype = *dtype;
    }
    if (!done) return Unexpected(done.error());
    has_shape = has_shape || field == "shape";
  }
  if (spec.name.empty()) return bad(key, "needs a name");
  if (!has_shape) return bad(key, "needs a shape");
  if (spec.range && !is_whole(spec.dtype))
    return bad(key + ".range",
               "needs an integer dtype; " + spec.name + " is " + std::string(to_string(spec.dtype)));
  if (spec.max_shape.rank() > 0 && spec.max_shape.rank() != spec.shape.rank())
    return bad(key + ".max_shape",
               spec.max_shape.text() + " must have as many dimensions as the shape " + spec.shape.text());
  return spec;
}

/// Checks that only inputs have range, max_shape and same_shape_as, and that same_shape_as names an input.
Result<void> check_bounds(const Manifest& manifest) {
  for (std::size_t i = 0; i < manifest.outputs.size(); ++i) {
    const TensorSpec& spec = manifest.outputs[i];
    if (spec.range || spec.max_shape.rank() > 0 || !spec.same_shape_as.empty())
      return bad("outputs[" + std::to_string(i) + "]", "range, max_shape and same_shape_as are for inputs");
  }
  for (std::size_t i = 0; i < manifest.inputs.size(); ++i) {
    const TensorSpec& spec = manifest.inputs[i];
    if (spec.same_shape_as.empty()) continue;
    const auto like = std::find_if(manifest.inputs.begin(), manifest.inputs.end(),
                                   [&](const auto& other) { return other.name == spec.same_shape_as; });
    if (like == manifest.inputs.end())
      return bad("inputs[" + std::to_string(i) + "].same_shape_as",
                 "'" + spec.same_shape_as + "' is not an input");
  }
  return {};
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

Result<bool> flag(const std::string& key, element value) {
  bool out = false;
  if (value.get(out) != simdjson::SUCCESS) return bad(key, "must be true or false");
  return out;
}

Result<std::vector<std::string>> texts(const std::string& key, element value) {
  array list;
  if (value.get(list) != simdjson::SUCCESS) return bad(key, "must be a list of strings");
  std::vector<std::string> out;
  for (const element item : list) {
    auto string = text(key, item);
    if (!string) return Unexpected(string.error());
    out.push_back(*std::move(string));
  }
  return out;
}

Result<std::vector<double>> numbers(const std::string& key, element value) {
  array list;
  if (value.get(list) != simdjson::SUCCESS) return bad(key, "must be a list of numbers");
  std::vector<double> out;
  for (const element item : list) {
    double number = 0;
    if (item.get(number) != simdjson::SUCCESS) return bad(key, "must be a list of numbers");
    out.push_back(number);
  }
  return out;
}

Result<TokenizerSpec> tokenizer(element value) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad("tokenizer", "must be an object");
  TokenizerSpec out;
  for (const auto& [field, content] : fields) {
    if (auto known = check_key(field, kTokenizerKeys, "tokenizer."); !known) return Unexpected(known.error());
    const std::string path = "tokenizer." + std::string(field);
    Result<void> done;
    if (field == "type") done = store(text(path, content), out.type);
    if (field == "vocab") done = store(text(path, content), out.vocab);
    if (field == "lowercase") done = store(flag(path, content), out.lowercase);
    if (field == "strip_accents") done = store(flag(path, content), out.strip_accents);
    if (field == "max_tokens") done = store(count(path, content), out.max_tokens);
    if (!done) return Unexpected(done.error());
  }
  if (!is_plain_file_name(out.vocab)) return bad("tokenizer.vocab", "must be a plain file name");
  if (out.max_tokens < 2 || out.max_tokens > 65536)
    return bad("tokenizer.max_tokens", std::to_string(out.max_tokens) + " is outside 2 to 65536");
  return out;
}

Result<SeriesSpec> series(element value) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad("series", "must be an object");
  SeriesSpec out;
  for (const auto& [field, content] : fields) {
    if (auto known = check_key(field, kSeriesKeys, "series."); !known) return Unexpected(known.error());
    const std::string path = "series." + std::string(field);
    Result<void> done;
    if (field == "columns") done = store(texts(path, content), out.columns);
    if (field == "targets") done = store(count(path, content), out.targets);
    if (field == "calendar") done = store(texts(path, content), out.calendar);
    if (field == "history") done = store(count(path, content), out.history);
    if (field == "horizon") done = store(count(path, content), out.horizon);
    if (field == "time") done = store(text(path, content), out.time);
    if (field == "step_months") done = store(count(path, content), out.step_months);
    if (field == "mean") done = store(numbers(path, content), out.mean);
    if (field == "scale") done = store(numbers(path, content), out.scale);
    if (field == "step_seconds" &&
        (content.get(out.step_seconds) != simdjson::SUCCESS || !(out.step_seconds >= 0)))
      done = bad(path, "must be 0 or more");
    if (!done) return Unexpected(done.error());
  }
  if (out.columns.empty()) return bad("series.columns", "must name a column");
  if (out.targets == 0 || out.targets > out.columns.size())
    return bad("series.targets", std::to_string(out.targets) + " is outside 1 to the number of columns, " +
                                     std::to_string(out.columns.size()));
  if (out.history == 0 || out.history > 100000)
    return bad("series.history", std::to_string(out.history) + " is outside 1 to 100000");
  if (out.horizon == 0 || out.horizon > 100000)
    return bad("series.horizon", std::to_string(out.horizon) + " is outside 1 to 100000");
  const std::size_t inputs = out.columns.size() + out.calendar.size();
  if (out.mean.size() != inputs || out.scale.size() != inputs)
    return bad("series.mean", "mean and scale need one number for each of the " + std::to_string(inputs) +
                                  " columns and calendar features");
  for (const double scale : out.scale) {
    if (!(scale > 0)) return bad("series.scale", "must be positive");
  }
  return out;
}

Result<std::map<std::string, std::string>> digests(element value) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad("sha256", "must be an object of file names");
  std::map<std::string, std::string> out;
  for (const auto& [field, content] : fields) {
    const std::string path = "sha256." + std::string(field);
    auto digest = text(path, content);
    if (!digest) return Unexpected(digest.error());
    if (digest->size() != 64 || digest->find_first_not_of("0123456789abcdef") != std::string::npos)
      return bad(path, "must be 64 hexadecimal digits in lower case");
    if (field.empty() || !is_plain_file_name(field)) return bad(path, "must be a plain file name");
    out.emplace(field, *std::move(digest));
  }
  return out;
}

const Setting* find_setting(Setting::Place place, std::string_view key) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(),
                                  [&](const Setting& row) { return row.place == place && row.name == key; });
  return found == kSettings.end() ? nullptr : &*found;
}

/// The keys of `known`, and the settings of `place`.
std::vector<std::string_view> with_settings(Setting::Place place, std::span<const std::string_view> known) {
  std::vector<std::string_view> keys(known.begin(), known.end());
  for (const Setting& row : kSettings) {
    if (row.place == place) keys.push_back(row.name);
  }
  return keys;
}

Result<void> batch(element value, Manifest& out) {
  object fields;
  if (value.get(fields) != simdjson::SUCCESS) return bad("batch", "must be an object");
  for (const auto& [field, content] : fields) {
    const Setting* setting = find_setting(Setting::Place::kBatch, field);
    if (setting == nullptr) return check_key(field, with_settings(Setting::Place::kBatch, {}), "batch.");
    if (auto read = read_setting(*setting, content, "infer.json: batch." + std::string(field), out); !read)
      return read;
  }
  return {};
}

Result<void> set_key(std::string_view key_view, element value, Manifest& out) {
  const std::string key(key_view);
  if (const Setting* setting = find_setting(Setting::Place::kTop, key); setting != nullptr)
    return read_setting(*setting, value, "infer.json: " + key, out);
  if (auto known = check_key(key_view, with_settings(Setting::Place::kTop, kKeys), ""); !known) return known;
  if (key == "task") return store(text(key, value), out.task);
  if (key == "backend") return store(text(key, value), out.backend);
  if (key == "file") return store(text(key, value), out.file);
  if (key == "inputs") return store(tensor_specs(key, value), out.inputs);
  if (key == "outputs") return store(tensor_specs(key, value), out.outputs);
  if (key == "preprocess") return store(preprocess(value), out.preprocess);
  if (key == "precision") return store(choice(key, value, kPrecisions), out.precision);
  if (key == "weights") return store(choice(key, value, kWeights), out.weights);
  if (key == "batch") return batch(value, out);
  if (key == "scores") return store(choice(key, value, kScores), out.scores);
  if (key == "labels") return store(texts(key, value), out.labels);
  if (key == "tokenizer") return store(tokenizer(value), out.tokenizer);
  if (key == "series") return store(series(value), out.series);
  if (key == "sha256") return store(digests(value), out.sha256);
  if (key == "versions") {
    if (value.is_string()) return store(choice(key, value, kPolicies), out.version_policy);
    out.version_policy = "specific";
    if (auto list = store(texts(key, value), out.versions); !list) return list;
    return out.versions.empty()
               ? Result<void>(bad(key, "must be promoted, latest, all or a list of versions"))
               : Result<void>();
  }
  if (key == "same_weights_as") return store(text(key, value), out.same_weights_as);
  if (key == "source") {
    if (!value.is_object()) return bad(key, "must be an object");
    out.source = simdjson::minify(value);
  }
  return {};
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
  if (auto bounds = check_bounds(manifest); !bounds) return Unexpected(bounds.error());
  if (!is_plain_file_name(manifest.file)) return bad("file", "must be a plain file name");
  return manifest;
}

}  // namespace infer::inline v0
