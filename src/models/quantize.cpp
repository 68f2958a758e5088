#include "infer/models/quantize.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <sstream>
#include <system_error>

#include "../engine/durable_file.h"
#include "../engine/read_file.h"
#include "../engine/with_torch.h"
#include "../tasks/vectors.h"
#include "infer/core/invalid.h"
#include "infer/engine/open.h"
#include "infer/tasks/task.h"
#include "staged_folder.h"
#include "torch_making.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

using Vectors = std::vector<std::vector<float>>;

/// Appends the usual magnitude of each value, its root mean square over `before`, to all vectors. The angle
/// between two vectors then shows how far values differ relative to that magnitude.
void add_scale(Vectors& before, Vectors& after) {
  const std::size_t values = before.empty() ? 0 : before.front().size();
  for (std::size_t i = 0; i < values; ++i) {
    double squares = 0;
    for (const auto& vector : before) squares += static_cast<double>(vector[i]) * vector[i];
    const auto usual = static_cast<float>(std::sqrt(squares / static_cast<double>(before.size())));
    for (Vectors* vectors : {&before, &after}) {
      for (auto& vector : *vectors) vector.push_back(usual);
    }
  }
}

/// Calls `ask` for each sample and its place, which messages name. Samples are the photographs of a folder,
/// of which one at a time is in memory, or the lines of a file.
Result<void> for_each_sample(
    const fs::path& samples, TaskInput input,
    const std::function<Result<void>(const fs::path& place, const std::string& sample)>& ask) {
  if (input == TaskInput::kText) {
    auto content = read_file(samples);
    if (!content) return Unexpected(content.error());
    std::istringstream file(*content);
    for (std::string line; std::getline(file, line);) {
      if (line.empty()) continue;
      if (auto asked = ask(samples, line); !asked) return asked;
    }
    return {};
  }
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(samples, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    if (entry->is_regular_file(unreadable)) files.push_back(entry->path());
  }
  if (error) return fail(ErrorCode::kNotFound, samples.string() + ": cannot be read: " + error.message());
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    auto bytes = read_file(path);
    if (!bytes) return Unexpected(bytes.error());
    if (auto asked = ask(path, *bytes); !asked) return asked;
  }
  return {};
}

/// A version of a model.
struct Place {
  fs::path directory;
  std::string version;
  fs::path files() const { return directory / version; }
};

/// Returns the answers to the given samples, or to the recorded inputs, one at a time to leave effects of
/// batches out.
Result<Vectors> answers(const Place& place, const fs::path& samples) {
  OpenOptions wanted;
  wanted.version = place.version;
  auto engine = open_engine(place.directory, wanted);
  if (!engine) return Unexpected(engine.error());
  auto model = make_task(std::make_shared<Engine>(*std::move(engine)));
  if (!model) return Unexpected(model.error());
  Vectors vectors;
  if (samples.empty()) {
    for (std::size_t i = 0; i < (*model)->recorded(); ++i) {
      auto answer = (*model)->recorded_answer(i);
      if (!answer) return Unexpected(answer.error());
      std::move(answer->begin(), answer->end(), std::back_inserter(vectors));
    }
    return vectors;
  }
  auto asked = for_each_sample(samples, (*model)->input(),
                               [&](const fs::path& place, const std::string& sample) -> Result<void> {
                                 auto vector = (*model)->answer(sample);
                                 if (!vector) return invalid(place.string() + ": " + vector.error().message);
                                 vectors.push_back(*std::move(vector));
                                 return {};
                               });
  if (!asked) return Unexpected(asked.error());
  return vectors;
}

/// Returns the cosine of two vectors; equal vectors have 1, even if they are all zeros.
double likeness(const std::vector<float>& a, const std::vector<float>& b) {
  return a == b ? 1 : cosine(a, b);
}

Result<void> compare(const Place& from, const Place& to, const QuantizeOptions& options, bool regression,
                     QuantizeReport& report) {
  auto before = answers(from, options.samples);
  if (!before) return Unexpected(before.error());
  auto after = answers(to, options.samples);
  if (!after) return Unexpected(after.error());
  if (before->empty()) return invalid(options.samples.string() + ": contains no samples");
  if (regression) add_scale(*before, *after);
  report.samples = before->size();
  double sum = 0;
  for (std::size_t i = 0; i < before->size(); ++i) {
    const double near = likeness((*before)[i], (*after)[i]);
    report.least_cosine = std::min(report.least_cosine, near);
    sum += near;
  }
  report.mean_cosine = sum / static_cast<double>(before->size());
  if (report.least_cosine < options.least_cosine) {
    return fail(
        ErrorCode::kFailedPrecondition,
        "the " + options.precision + " model's answers differ too much from fp32: the lowest cosine is " +
            std::to_string(report.least_cosine) + ", the minimum is " + std::to_string(options.least_cosine));
  }
  return {};
}

Result<QuantizeReport> quantize_into(const Place& from, const QuantizeOptions& options, const Place& to,
                                     bool beside) {
  auto manifest = read_manifest(from.directory, from.version);
  if (!manifest) return Unexpected(manifest.error());
  const auto task = find_task(*manifest, from.directory.string());
  if (!task) return Unexpected(task.error());
  const bool comparable = (*task)->input == TaskInput::kImage || (*task)->input == TaskInput::kText;
  if (manifest->backend != "torchscript" || !comparable)
    return invalid(
        from.directory.string() +
        ": quantising needs a TorchScript model of images or texts, whose answers can be compared");
  if (manifest->precision != "fp32")
    return invalid(from.directory.string() + ": the precision is " + manifest->precision +
                   ", it must be fp32");
  QuantizeReport report;
  const fs::path& file = manifest->file;
  if (auto done =
          with_torch<libtorch::quantize>(from.files() / file, to.files() / file, options.precision, report);
      !done)
    return Unexpected(done.error());
  if (manifest->tokenizer) {
    const std::string& vocab = manifest->tokenizer->vocab;
    if (auto copied = copy_durably(from.files() / vocab, to.files() / vocab); !copied)
      return Unexpected(copied.error());
  }
  report.bytes_before = fs::file_size(from.files() / file);
  report.bytes_after = fs::file_size(to.files() / file);
  manifest->precision = options.precision;
  manifest->sha256.clear();
  if (beside) manifest->same_weights_as = from.version;
  if (auto written = write_manifest(*manifest, beside ? to.files() : to.directory); !written)
    return Unexpected(written.error());
  if (auto near = compare(from, to, options, manifest->scores == "none", report); !near)
    return Unexpected(near.error());
  return report;
}

}  // namespace

Result<QuantizeReport> quantize_model(const fs::path& source, const QuantizeOptions& options,
                                      const fs::path& directory) {
  if (options.precision != "int8" && options.precision != "bf16" && options.precision != "fp16")
    return invalid("precision: '" + options.precision + "' is not one of int8, bf16, fp16");
  try {
    auto version = choose_version(source);
    if (!version) return Unexpected(version.error());
    const Place from{source, *version};
    std::error_code ignored;
    const bool beside = fs::equivalent(source, directory, ignored);
    const std::string name = *version + "-" + options.precision;
    auto staged = StagedFolder::create(beside ? source / name : directory);
    if (!staged) return Unexpected(staged.error());
    if (!beside) {
      if (auto made = staged->subfolder("1"); !made) return Unexpected(made.error());
    }
    const Place to = beside ? Place{staged->path().parent_path(), name} : Place{staged->path(), "1"};
    auto report = quantize_into(from, options, to, beside);
    if (!report) return report;
    if (auto committed = staged->commit(); !committed) return Unexpected(committed.error());
    return report;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kFailedPrecondition, source.string() + ": " + e.what());
  }
}

}  // namespace infer::inline v0
