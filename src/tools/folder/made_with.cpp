#include "tools/folder/made_with.h"

#include <fstream>
#include <utility>

#include "engine/digest.h"
#include "engine/json_writer.h"

namespace infer::inline v0::tools {
namespace {

constexpr int kFormat = 1;  // of this object, and of the preprocessing

std::string digest_of_weights(const Model& model) {
  const auto given = model.manifest.sha256.find(model.manifest.file);
  if (given != model.manifest.sha256.end()) return given->second;
  std::ifstream file(model.directory / model.manifest.file, std::ios::binary);
  return sha256(file);
}

}  // namespace

std::string made_with(const Model& model, std::size_t dim) {
  const ImagePreprocess preprocess = model.manifest.preprocess.value_or(ImagePreprocess{});
  JsonWriter json;
  json.begin_object().key("format").value(kFormat).key("model").value(model.name);
  json.key("version").value(model.version).key("sha256").value(digest_of_weights(model));
  json.key("dim").value(dim).key("preprocess").begin_object().key("size").value(preprocess.size);
  json.key("mean").values(preprocess.mean).key("std").values(preprocess.std).end_object().end_object();
  return std::move(json).text();
}

}  // namespace infer::inline v0::tools
