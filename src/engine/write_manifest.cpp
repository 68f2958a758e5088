#include <array>
#include <charconv>
#include <cstdio>

#include "durable_file.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {
namespace {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// The shortest text that reads back as the same value.
template <class T>
std::string number(T value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

template <class List, class Write>
std::string list(const List& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? ", " : "") + std::string(write(item));
  return out + "]";
}

/// An object, key by key; an empty value is left out.
class Object {
 public:
  explicit Object(std::string between) : between_(std::move(between)) {}
  void add(std::string_view key, const std::string& value) {
    if (value.empty()) return;
    text_ += (text_.empty() ? "" : "," + between_) + json_string(key) + ": " + value;
  }
  bool empty() const { return text_.empty(); }
  std::string text(std::string_view edge = "") const {
    return "{" + std::string(edge) + text_ + (edge.empty() ? "" : "\n") + "}";
  }

 private:
  std::string between_;
  std::string text_;
};

std::string specs(const std::vector<TensorSpec>& all) {
  if (all.empty()) return "";
  return list(all, [](const TensorSpec& spec) {
    Object object(" ");
    object.add("name", json_string(spec.name));
    object.add("dtype", json_string(to_string(spec.dtype)));
    object.add("shape", list(spec.shape.dims(), number<std::int64_t>));
    if (spec.range)
      object.add("range", list(std::array{spec.range->least, spec.range->greatest}, number<std::int64_t>));
    if (spec.max_shape.rank() > 0) object.add("max_shape", list(spec.max_shape.dims(), number<std::int64_t>));
    if (!spec.same_shape_as.empty()) object.add("same_shape_as", json_string(spec.same_shape_as));
    return object.text();
  });
}

std::string preprocess(const ImagePreprocess& spec) {
  Object object(" ");
  object.add("size", number(spec.size));
  object.add("mean", list(spec.mean, number<float>));
  object.add("std", list(spec.std, number<float>));
  return object.text();
}

std::string tokenizer(const TokenizerSpec& spec) {
  Object object(" ");
  object.add("vocab", json_string(spec.vocab));
  object.add("lowercase", spec.lowercase ? "true" : "false");
  if (spec.strip_accents) object.add("strip_accents", *spec.strip_accents ? "true" : "false");
  object.add("max_tokens", number(spec.max_tokens));
  return object.text();
}

std::string series(const SeriesSpec& spec) {
  Object object("\n    ");
  object.add("columns", list(spec.columns, json_string));
  object.add("targets", number(spec.targets));
  object.add("calendar", list(spec.calendar, json_string));
  object.add("history", number(spec.history));
  object.add("horizon", number(spec.horizon));
  object.add("time", json_string(spec.time));
  object.add("step_seconds", number(spec.step_seconds));
  object.add("step_months", number(spec.step_months));
  object.add("mean", list(spec.mean, number<double>));
  object.add("scale", list(spec.scale, number<double>));
  return object.text();
}

/// Adds the settings that infer.json has at `place`.
void add_settings(Object& object, Setting::Place place, const Manifest& manifest) {
  for (const Setting& setting : kSettings) {
    if (setting.place == place) object.add(setting.name, setting_json(setting, manifest));
  }
}

std::string batch(const Manifest& manifest) {
  Object object(" ");
  add_settings(object, Setting::Place::kBatch, manifest);
  return object.empty() ? "" : object.text();
}

}  // namespace

std::string manifest_json(const Manifest& manifest) {
  Object object("\n  ");
  object.add("task", json_string(manifest.task));
  object.add("backend", json_string(manifest.backend));
  object.add("file", json_string(manifest.file));
  object.add("inputs", specs(manifest.inputs));
  object.add("outputs", specs(manifest.outputs));
  if (manifest.preprocess) object.add("preprocess", preprocess(*manifest.preprocess));
  if (manifest.tokenizer) object.add("tokenizer", tokenizer(*manifest.tokenizer));
  if (manifest.series) object.add("series", series(*manifest.series));
  if (!manifest.labels.empty()) object.add("labels", list(manifest.labels, json_string));
  if (!manifest.scores.empty()) object.add("scores", json_string(manifest.scores));
  object.add("precision", json_string(manifest.precision));
  object.add("weights", json_string(manifest.weights));
  object.add("source", manifest.source);
  if (!manifest.same_weights_as.empty()) object.add("same_weights_as", json_string(manifest.same_weights_as));
  if (!manifest.sha256.empty()) {
    Object digests(" ");
    for (const auto& [file, digest] : manifest.sha256) digests.add(file, json_string(digest));
    object.add("sha256", digests.text());
  }
  if (manifest.version_policy == "specific") {
    object.add("versions", list(manifest.versions, json_string));
  } else if (manifest.version_policy != "promoted") {
    object.add("versions", json_string(manifest.version_policy));
  }
  object.add("batch", batch(manifest));
  add_settings(object, Setting::Place::kTop, manifest);
  return object.text("\n  ") + "\n";
}

Result<void> write_manifest(const Manifest& manifest, const std::filesystem::path& directory) {
  return write_durably(directory / "infer.json", manifest_json(manifest));
}

}  // namespace infer::inline v0
