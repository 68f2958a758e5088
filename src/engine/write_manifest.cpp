#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "durable_file.h"
#include "infer/engine/manifest.h"
#include "json_writer.h"
#include "write_setting.h"

namespace infer::inline v0 {
namespace {

/// Writes the value if there is one.
template <class T>
void member(JsonWriter& json, std::string_view key, const std::optional<T>& value) {
  if (value) json.key(key).value(*value);
}
/// Writes the list unless it is empty.
template <class List>
void list_member(JsonWriter& json, std::string_view key, const List& items) {
  if (!std::empty(items)) json.key(key).list(items);
}
void text_member(JsonWriter& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.key(key).value(text);
}

void write_specs(JsonWriter& json, std::string_view key, const std::vector<TensorSpec>& all) {
  if (all.empty()) return;
  json.line(2).key(key).begin_array();
  for (const TensorSpec& spec : all) {
    json.begin_object().key("name").value(spec.name).key("dtype").value(to_string(spec.dtype));
    json.key("shape").list(spec.shape.dims());
    if (spec.range) json.key("range").list(std::array{spec.range->least, spec.range->greatest});
    list_member(json, "max_shape", spec.max_shape.dims());
    text_member(json, "same_shape_as", spec.same_shape_as);
    json.end_object();
  }
  json.end_array();
}

void write(JsonWriter& json, const ImagePreprocess& spec) {
  json.begin_object().key("size").value(spec.size);
  json.key("mean").list(spec.mean).key("std").list(spec.std).end_object();
}

void write(JsonWriter& json, const TokenizerSpec& spec) {
  json.begin_object();
  if (spec.type != TokenizerSpec().type) json.key("type").value(spec.type);
  json.key("vocab").value(spec.vocab).key("lowercase").value(spec.lowercase);
  member(json, "strip_accents", spec.strip_accents);
  json.key("max_tokens").value(spec.max_tokens).end_object();
}

void write(JsonWriter& json, const SeriesSpec& spec) {
  json.begin_object().key("columns").list(spec.columns);
  json.line(4).key("targets").value(spec.targets);
  json.line(4).key("calendar").list(spec.calendar);
  json.line(4).key("history").value(spec.history);
  json.line(4).key("horizon").value(spec.horizon);
  json.line(4).key("time").value(spec.time);
  json.line(4).key("step_seconds").value(spec.step_seconds);
  json.line(4).key("step_months").value(spec.step_months);
  json.line(4).key("mean").list(spec.mean);
  json.line(4).key("scale").list(spec.scale).end_object();
}

void write_batch(JsonWriter& json, const Manifest& manifest) {
  bool is_open = false;
  for (const Setting& setting : kSettings) {
    if (setting.place != Setting::Place::kBatch || !has_setting(setting, manifest)) continue;
    if (!is_open) json.line(2).key("batch").begin_object();
    is_open = true;
    write_setting(json, setting, manifest);
  }
  if (is_open) json.end_object();
}

}  // namespace

std::string manifest_json(const Manifest& manifest) {
  JsonWriter json;
  json.spaced().begin_object();
  json.line(2).key("task").value(manifest.task);
  json.line(2).key("backend").value(manifest.backend);
  json.line(2).key("file").value(manifest.file);
  write_specs(json, "inputs", manifest.inputs);
  write_specs(json, "outputs", manifest.outputs);
  if (manifest.preprocess) write(json.line(2).key("preprocess"), *manifest.preprocess);
  if (manifest.tokenizer) write(json.line(2).key("tokenizer"), *manifest.tokenizer);
  if (manifest.series) write(json.line(2).key("series"), *manifest.series);
  if (!manifest.labels.empty()) json.line(2).key("labels").list(manifest.labels);
  if (!manifest.scores.empty()) json.line(2).key("scores").value(manifest.scores);
  json.line(2).key("precision").value(manifest.precision);
  json.line(2).key("weights").value(manifest.weights);
  if (!manifest.source.empty()) json.line(2).key("source").raw(manifest.source);
  if (!manifest.same_weights_as.empty()) json.line(2).key("same_weights_as").value(manifest.same_weights_as);
  if (!manifest.sha256.empty()) {
    json.line(2).key("sha256").begin_object();
    for (const auto& [file, digest] : manifest.sha256) json.key(file).value(digest);
    json.end_object();
  }
  if (manifest.version_policy == "specific") {
    json.line(2).key("versions").list(manifest.versions);
  } else if (manifest.version_policy != "promoted") {
    json.line(2).key("versions").value(manifest.version_policy);
  }
  write_batch(json, manifest);
  for (const Setting& setting : kSettings) {
    if (setting.place == Setting::Place::kTop && has_setting(setting, manifest))
      write_setting(json.line(2), setting, manifest);
  }
  json.line(0).end_object();
  return std::move(json).text() + "\n";
}

Result<void> write_manifest(const Manifest& manifest, const std::filesystem::path& directory) {
  return write_durably(directory / "infer.json", manifest_json(manifest));
}

}  // namespace infer::inline v0
