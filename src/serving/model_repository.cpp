#include "infer/serving/model_repository.h"

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/read_file.h"
#include "engine/valid_name.h"
#include "infer/core/invalid.h"
#include "successor.h"

namespace infer::inline v0 {

namespace {

/// Returns whether a folder has a manifest, readable or not. Errors: `kFailedPrecondition` (that cannot be
/// determined).
Result<bool> holds_model(const std::filesystem::path& folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  if (status.type() != std::filesystem::file_type::directory) {
    const bool told = std::filesystem::exists(status);
    if (told) return false;
    return fail(ErrorCode::kFailedPrecondition, unreadable(folder, error ? error.value() : ENOENT).message);
  }
  const auto manifest = std::filesystem::symlink_status(folder / "infer.json", error);
  if (!std::filesystem::status_known(manifest))
    return fail(ErrorCode::kFailedPrecondition, unreadable(folder / "infer.json", error.value()).message);
  return manifest.type() != std::filesystem::file_type::not_found;
}

}  // namespace

ModelRepository::ModelRepository(RepositoryOptions options, std::shared_ptr<MetricsRegistry> metrics,
                                 EventSink events)
    : options_(std::move(options)),
      metrics_(metrics ? std::move(metrics) : std::make_shared<MetricsRegistry>()),
      events_(events ? std::move(events) : EventSink([](const ServingEvent&) {})) {}

Result<std::vector<std::filesystem::path>> ModelRepository::folders() const {
  std::vector<std::filesystem::path> folders(options_.models.begin(), options_.models.end());
  for (auto& folder : folders) {
    if (!folder.has_filename()) folder = folder.parent_path();  // "models/clip/"
  }
  if (options_.folder.empty()) return folders;
  std::error_code error;
  std::filesystem::directory_iterator entry(options_.folder, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto there = holds_model(entry->path());
    if (!there && valid_name(name) && !name.starts_with('.')) return Unexpected(there.error());
    if (there && *there) folders.push_back(entry->path());
  }
  if (error) {
    const bool full =
        error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system;
    return fail(full ? ErrorCode::kUnavailable : ErrorCode::kNotFound,
                options_.folder + ": cannot be read: " + error.message());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

Result<void> ModelRepository::load() {
  const auto found = folders();
  if (!found) return Unexpected(found.error());
  const auto& all = *found;
  if (all.size() == options_.models.size() && !options_.folder.empty())
    return fail(ErrorCode::kNotFound, options_.folder + ": contains no folder with an infer.json");
  std::unique_lock lock(change_mutex_);
  for (const auto& folder : all) {
    if (models_.find(folder.filename().string(), {}) != nullptr)
      return fail(ErrorCode::kInvalidArgument, folder.string() + ": a model of this name is loaded already");
    if (auto loaded = load_folder(folder); !loaded) return loaded;
  }
  return {};
}

Result<void> ModelRepository::load_folder(const std::filesystem::path& folder) {
  auto versions = served_versions(folder);
  if (!versions) return Unexpected(versions.error());
  std::vector<std::shared_ptr<ServedModel>> opened;
  for (const std::string& version : *versions) {
    auto model = open(folder, version, version == versions->front());
    if (!model) return Unexpected(model.error());
    opened.push_back(*std::move(model));
  }
  show(*opened.front());
  const auto old = models_.replace(folder.filename().string(), std::move(opened));
  retired_.insert(retired_.end(), old.begin(), old.end());
  return {};
}

Result<std::shared_ptr<ServedModel>> ModelRepository::open(const std::filesystem::path& directory,
                                                           const std::string& version,
                                                           bool by_default) const {
  const TimePoint start = std::chrono::steady_clock::now();
  auto manifest = read_manifest(directory, version);
  if (!manifest) return Unexpected(manifest.error());
  // Checked before the weights are read, which takes long.
  if (auto task = find_task(*manifest, directory.string()); !task) return Unexpected(task.error());
  OpenOptions wanted = options_.engine;
  wanted.version = version;
  wanted.tuned.clear();
  wanted.metrics_name = by_default ? std::string() : directory.filename().string() + "@" + version;
  wanted.metrics = metrics_;
  // Captures a copy of the sink, since a stuck forward may outlive the repository.
  wanted.log = [events = events_](LogLevel level, std::string_view event, std::string_view message) {
    events({level, event, {{"error", std::string(message)}}});
  };
  if (options_.find_tuned) {
    wanted.tuned = options_.find_tuned(directory);
    ServingEvent event{LogLevel::kInfo, "not_tuned", {{"model", directory.filename().string()}}};
    if (!wanted.tuned.empty()) {
      event.name = "tuned";
      event.fields.emplace_back("file", wanted.tuned.string());
    }
    events_(event);
  }
  auto engine = open_engine(directory, *std::move(manifest), wanted);
  if (!engine) return Unexpected(engine.error());
  auto model = ServedModel::create(std::make_shared<Engine>(*std::move(engine)), options_.task);
  if (!model) return model;
  malloc_trim(0);  // glibc would keep the memory of reading and warming up: 100 MB for a ViT-B/32
  (*model)->by_default = by_default;
  (*model)->load_time = std::chrono::steady_clock::now() - start;
  return model;
}

DrainReport ModelRepository::drain(std::chrono::milliseconds timeout) {
  using std::chrono::milliseconds;
  stopped_.store(true);
  const TimePoint end = std::chrono::steady_clock::now() + timeout;
  DrainReport total;
  for (const auto& model : all()) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    const DrainReport report = model->engine->drain(std::max(left, milliseconds(0)));
    total.completed += report.completed;
    total.failed += report.failed;
    total.in_time = total.in_time && report.in_time;
  }
  return total;
}

void ModelRepository::show(const ServedModel& model) {
  const Engine& engine = *model.engine;
  const ThreadPlan& threads = engine.options().threads;
  const EngineStats stats = engine.stats();
  const Labels labels{{"model", engine.model().name}};
  const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
  metrics_
      ->gauge("infer_workers", "Number of workers of the model. Each worker computes one batch at a time.",
              labels)
      .set(static_cast<double>(threads.workers));
  metrics_->gauge("infer_intra_op_threads", "Number of threads that each forward uses.", labels)
      .set(static_cast<double>(threads.intra_op_threads));
  metrics_
      ->gauge("infer_usable_cores",
              "Number of cores that CPU affinity and control groups allow the process to use.")
      .set(static_cast<double>(threads.usable_cores));
  metrics_
      ->gauge("infer_warmup_runs", "Number of warm-up forwards that were run before the model became ready.",
              labels)
      .set(static_cast<double>(stats.warmup_runs));
  metrics_->gauge("infer_warmup_seconds", "Time that the warm-up forwards took, in seconds.", labels)
      .set(seconds(stats.warmup_time));
  metrics_
      ->gauge("infer_load_seconds", "Time that reading the model and warming it up took, in seconds.", labels)
      .set(seconds(model.load_time));
}

Result<void> ModelRepository::add(std::shared_ptr<Engine> engine) {
  auto model = ServedModel::create(std::move(engine), options_.task);
  if (!model) return Unexpected(model.error());
  show(**model);
  std::unique_lock lock(change_mutex_);
  if (auto old = models_.put(*std::move(model))) retired_.push_back(std::move(old));
  drop_retired();
  return {};
}

Result<void> ModelRepository::load_model(const std::string& name) {
  std::unique_lock lock(change_mutex_);
  drop_retired();
  const auto all = folders();
  if (!all) return Unexpected(all.error());
  for (const auto& folder : *all) {
    if (folder.filename() != name) continue;
    if (const auto versions = served_versions(folder)) {
      if (auto room = room_for(folder / versions->front()); !room) return room;
    }
    if (auto loaded = load_folder(folder); !loaded) return loaded;
    refused_.erase(name);
    drop_retired();
    return {};
  }
  return fail(ErrorCode::kNotFound, "model " + in_quotes(name) + ": the repository has no such folder");
}

Result<void> ModelRepository::unload_model(const std::string& name) {
  std::unique_lock lock(change_mutex_);
  {
    const auto old = models_.replace(name, {});
    if (old.empty()) return fail(ErrorCode::kNotFound, "model " + in_quotes(name) + ": is not loaded");
    retired_.insert(retired_.end(), old.begin(), old.end());
  }
  drop_retired();
  return {};
}

std::vector<ModelRepository::Entry> ModelRepository::index() const {
  std::vector<Entry> entries;
  for (const auto& model : models_.all())
    entries.push_back({model->engine->model().name, model->engine->model().version});
  const auto all = folders();
  if (!all) return entries;
  for (const auto& folder : *all) {
    const std::string name = folder.filename().string();
    if (models_.find(name, {}) == nullptr) entries.push_back({name, {}});
  }
  return entries;
}

std::vector<std::shared_ptr<ServedModel>> ModelRepository::all() {
  auto all = models_.all();
  std::unique_lock lock(change_mutex_, std::try_to_lock);  // a loading model holds the lock
  if (lock) all.insert(all.end(), retired_.begin(), retired_.end());
  return all;
}

void ModelRepository::refresh() {
  std::unique_lock lock(change_mutex_);
  drop_retired();
  for (const std::string& name : models_.names()) {
    if (auto old = refresh_model(name)) retired_.push_back(std::move(old));
  }
  drop_retired();
}

std::shared_ptr<ServedModel> ModelRepository::refresh_model(const std::string& name) {
  const auto served = models_.find(name, {});
  const Model& now = served->engine->model();
  if (now.directory.empty()) return nullptr;  // the model was not loaded from a folder
  const std::filesystem::path folder = now.directory.parent_path();
  const auto versions = served_versions(folder);
  // Several versions side by side change only at a restart.
  if (versions && versions->size() > 1) return nullptr;
  if (!versions) {  // reports a reason once, not every second
    const std::string& why = versions.error().message;
    if (std::exchange(refused_[name], why) != why) log_swap(LogLevel::kError, "swap_refused", now, "", why);
    return nullptr;
  }
  const std::string& version = versions->front();
  if (version == now.directory.filename() || refused_[name] == version) return nullptr;
  const auto keep = [&](const Error& error) {
    if (error.code == ErrorCode::kUnavailable) {  // temporary, so report it once and try again
      if (std::exchange(refused_[name], error.message) != error.message)
        log_swap(LogLevel::kError, "swap_refused", now, version, error.message);
      return nullptr;
    }
    refused_[name] = version;  // not tried again until the version changes or `forget_refusals` is called
    log_swap(LogLevel::kError, "swap_refused", now, version, error.message);
    return nullptr;
  };
  if (auto room = room_for(folder / version); !room) return keep(room.error());
  auto next = open(folder, version, true);
  if (!next) return keep(next.error());
  if (auto fit = check_successor(*served, **next); !fit) return keep(fit.error());
  if (stopped_.load()) return nullptr;
  refused_.erase(name);
  log_swap(LogLevel::kInfo, "swapped", now, version, "");
  show(**next);
  return models_.put(*std::move(next));
}

void ModelRepository::free_unused() {
  for (const auto& model : models_.all()) (void)model->engine->buffers().kept_bytes();
  const std::unique_lock lock(change_mutex_, std::try_to_lock);  // a loading model holds the lock
  if (lock) drop_retired();
}

void ModelRepository::drop_retired() {
  // Requests may still use a replaced model. Once the last one has ended, nobody else can reach the model.
  const auto dropped = std::erase_if(retired_, [](const auto& model) { return model.use_count() == 1; });
  if (dropped > 0) malloc_trim(0);  // returns the memory of the old weights
}

void ModelRepository::forget_refusals() {
  std::unique_lock lock(change_mutex_);
  refused_.clear();
}

void ModelRepository::log_swap(LogLevel level, std::string_view event, const Model& model,
                               std::string_view version, std::string_view error) const {
  ServingEvent swap{
      level,
      event,
      {{"model", model.name}, {"model_version", model.version}, {"new_version", std::string(version)}}};
  if (!error.empty()) swap.fields.emplace_back("error", error);
  events_(swap);
}

}  // namespace infer::inline v0
