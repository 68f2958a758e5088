#include "checkpoint_tensors.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "checkpoint_config.h"
#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

Unexpected missing_shard(const fs::path& file, const std::string& who) {
  return fail(ErrorCode::kNotFound, file.string() + ": the shard is missing, " + who + "; download it too");
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The file of each tensor, from model.safetensors.index.json.
using WeightMap = std::map<std::string, std::string>;

Result<WeightMap> read_index(const fs::path& path) {
  auto index = CheckpointConfig::read(path);
  if (!index) return Unexpected(index.error());
  const auto value = index->value("weight_map");
  simdjson::dom::object map;
  if (!value || value->get(map) != simdjson::SUCCESS)
    return invalid(path.string() + ": weight_map: is missing or not an object");
  WeightMap out;
  for (const auto& [tensor, file] : map) {
    std::string_view name;
    if (file.get(name) != simdjson::SUCCESS || fs::path(name).filename() != name || name.empty())
      return invalid(path.string() + ": weight_map: " + std::string(tensor) + ": is not a plain file name");
    if (!is_file(path.parent_path() / name))
      return missing_shard(path.parent_path() / name, path.filename().string() + " lists it");
    out.emplace(tensor, name);
  }
  return out;
}

/// Returns the names of all shards if `name` is one of several, such as model-00001-of-00003.safetensors.
std::vector<std::string> siblings(const std::string& name) {
  const std::size_t of = name.rfind("-of-");
  const std::size_t end = name.find('.', of == std::string::npos ? 0 : of);
  if (of == std::string::npos || end == std::string::npos || of < 6 || end - of != 9) return {};
  unsigned count = 0;
  const char* last = name.data() + end;
  if (const auto [stop, error] = std::from_chars(name.data() + of + 4, last, count);
      error != std::errc() || stop != last || count > 9999)
    return {};
  std::vector<std::string> out;
  for (unsigned i = 1; i <= count; ++i) {
    std::string number = std::to_string(i);
    number.insert(0, 5 - number.size(), '0');
    out.push_back(name.substr(0, of - 5) + number + name.substr(of));
  }
  return out;
}

Result<std::vector<fs::path>> find_files(const fs::path& folder) {
  if (is_file(folder / "model.safetensors")) return std::vector{folder / "model.safetensors"};
  std::vector<fs::path> files;
  std::error_code error;
  bool pickled = false;
  fs::directory_iterator entry(folder, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() == ".safetensors") files.push_back(path);
    pickled =
        pickled || path.extension() == ".bin" || path.extension() == ".pt" || path.extension() == ".pth";
  }
  if (error) return fail(ErrorCode::kNotFound, folder.string() + ": cannot be read: " + error.message());
  if (files.empty() && pickled) {
    return fail(ErrorCode::kUnimplemented,
                folder.string() +
                    ": contains pickled weights (.bin, .pt) and no .safetensors file; save the model "
                    "again with save_pretrained(folder, safe_serialization=True)");
  }
  if (files.empty()) return fail(ErrorCode::kNotFound, folder.string() + ": contains no .safetensors file");
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    for (const std::string& name : siblings(file.filename().string())) {
      if (!is_file(folder / name))
        return missing_shard(folder / name, file.filename().string() + " belongs to the same set");
    }
  }
  return files;
}

/// Old checkpoints call a layer norm's weight gamma and its bias beta.
Result<TensorMap> with_new_names(TensorMap tensors) {
  TensorMap out;
  for (auto& [name, tensor] : tensors) {
    std::string now = name;
    for (const auto& [old, today] : {std::pair{".gamma", ".weight"}, std::pair{".beta", ".bias"}}) {
      if (now.ends_with(old)) now = now.substr(0, now.size() - std::string_view(old).size()) + today;
    }
    if (now != name && tensors.contains(now)) return invalid(name + ": the checkpoint also has " + now);
    out.emplace(std::move(now), std::move(tensor));
  }
  return out;
}

}  // namespace

Result<TensorMap> read_checkpoint_tensors(const fs::path& source) {
  std::vector<fs::path> files{source};
  WeightMap index;
  if (!is_file(source)) {
    if (is_file(source / "adapter_config.json")) {
      return fail(ErrorCode::kUnimplemented,
                  (source / "adapter_config.json").string() +
                      ": the checkpoint is an adapter of another model; merge both "
                      "first (merge_and_unload), then import the result");
    }
    const fs::path list = source / "model.safetensors.index.json";
    if (is_file(list) && !is_file(source / "model.safetensors")) {
      auto read = read_index(list);
      if (!read) return Unexpected(read.error());
      index = *std::move(read);
      std::set<fs::path> shards;
      for (const auto& [tensor, file] : index) shards.insert(source / file);
      files = std::vector<fs::path>(shards.begin(), shards.end());
    } else {
      auto found = find_files(source);
      if (!found) return Unexpected(found.error());
      files = *std::move(found);
    }
  }
  TensorMap all;
  for (const fs::path& file : files) {
    auto part = read_safetensors(file);
    if (!part) return Unexpected(part.error());
    for (auto& [name, tensor] : *part) {
      if (!all.emplace(name, std::move(tensor)).second)
        return invalid(file.string() + ": " + name + ": another file of the checkpoint has this tensor, too");
    }
  }
  for (const auto& [tensor, file] : index) {
    if (!all.contains(tensor))
      return invalid((source / file).string() + ": " + tensor +
                     ": is missing, although model.safetensors.index.json lists it");
  }
  return with_new_names(std::move(all));
}

}  // namespace infer::inline v0
