#include "infer/models/import.h"

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "../engine/json_writer.h"
#include "checkpoint_tensors.h"
#include "import_parts.h"
#include "staged_folder.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

Result<void> import_into(const fs::path& source, const ImportOptions& options, const StagedFolder& staged) {
  std::error_code error;
  const bool is_folder = fs::is_directory(source, error);
  const fs::path folder = is_folder ? source : source.parent_path();
  const bool texts = options.architecture == "bert";
  SentenceModules modules;
  modules.transformer = folder;
  if (texts) {
    auto read = read_sentence_modules(folder);
    if (!read) return Unexpected(read.error());
    modules = *std::move(read);
  }
  auto tensors = read_checkpoint_tensors(is_folder ? modules.transformer : source);
  if (!tensors) return Unexpected(tensors.error());
  auto version = staged.subfolder("1");
  if (!version) return Unexpected(version.error());
  auto manifest = texts ? import_bert(modules.transformer, *std::move(tensors), modules, options, *version)
                        : import_clip(folder, *std::move(tensors), *version);
  if (!manifest) return Unexpected(manifest.error());
  manifest->weights = "imported";
  JsonWriter origin;
  origin.spaced().begin_object().key("architecture").value(options.architecture).end_object();
  manifest->source = std::move(origin).text();
  return write_manifest(*manifest, staged.path());
}

}  // namespace

void check_architectures(CheckpointConfig& config, std::initializer_list<std::string_view> known) {
  for (const std::string& name : config.words("architectures")) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const std::string_view one : known) list += (list.empty() ? "" : ", ") + std::string(one);
    config.refuse("architectures",
                  "'" + name + "' cannot be imported with this --arch, which imports " + list);
  }
}

Result<void> import_model(const fs::path& source, const ImportOptions& options, const fs::path& directory) {
  try {
    if (options.architecture != "clip-vit" && options.architecture != "bert") {
      return fail(ErrorCode::kUnimplemented,
                  "architecture: '" + options.architecture + "' is neither clip-vit nor bert");
    }
    std::error_code error;
    if (!fs::exists(source, error)) {
      return fail(
          ErrorCode::kNotFound,
          source.string() + ": " + (error ? "cannot be read: " + error.message() : "no such file or folder"));
    }
    auto staged = StagedFolder::create(directory);
    if (!staged) return Unexpected(staged.error());
    if (auto imported = import_into(source, options, *staged); !imported) return imported;
    return staged->commit();
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, source.string() + ": " + e.what());
  }
}

}  // namespace infer::inline v0
