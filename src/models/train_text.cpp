#include "infer/models/train_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <new>
#include <random>
#include <system_error>
#include <utility>

#include "../engine/durable_file.h"
#include "../engine/json_writer.h"
#include "../engine/number_text.h"
#include "../engine/with_torch.h"
#include "../series/csv.h"
#include "infer/core/invalid.h"
#include "infer/tasks/text_embedder.h"
#include "manifests.h"
#include "softmax_regression.h"
#include "staged_folder.h"
#include "torch_making.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFolds = 5;
constexpr std::size_t kLeastRows = 5;
constexpr std::array<double, 6> kRegularisations{1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4};

struct Dataset {
  std::vector<std::string> texts;
  std::vector<std::size_t> labels;
  std::vector<std::string> names;
};

Result<Dataset> read_dataset(const TrainTextOptions& options) {
  auto csv = read_csv(options.data);
  if (!csv) return Unexpected(csv.error());
  const auto column = [&](const std::string& name) -> Result<std::size_t> {
    const auto found = std::find(csv->header.begin(), csv->header.end(), name);
    if (found == csv->header.end()) return invalid(options.data.string() + ": has no column '" + name + "'");
    return static_cast<std::size_t>(found - csv->header.begin());
  };
  auto text = column(options.text_column);
  if (!text) return Unexpected(text.error());
  auto label = column(options.label_column);
  if (!label) return Unexpected(label.error());
  std::map<std::string, std::size_t> counts;
  for (const auto& row : csv->rows) ++counts[row[*label]];
  Dataset data;
  std::map<std::string, std::size_t> numbers;
  for (const auto& [name, count] : counts) {
    if (count < kLeastRows)
      return invalid(options.data.string() + ": label '" + name + "' has " + std::to_string(count) +
                     " rows; at least " + std::to_string(kLeastRows) + " are needed");
    numbers[name] = data.names.size();
    data.names.push_back(name);
  }
  if (data.names.size() < 2) return invalid(options.data.string() + ": has fewer than 2 labels");
  for (auto& row : csv->rows) {
    data.labels.push_back(numbers[row[*label]]);
    data.texts.push_back(std::move(row[*text]));
  }
  return data;
}

Result<std::vector<std::vector<float>>> embed_all(const TrainTextOptions& options, const Dataset& data) {
  auto embedder = TextEmbedder::open(options.base);
  if (!embedder) return Unexpected(embedder.error());
  std::vector<std::vector<float>> vectors;
  constexpr std::size_t kChunk = 64;
  for (std::size_t at = 0; at < data.texts.size(); at += kChunk) {
    const std::vector<std::string_view> chunk(
        data.texts.begin() + static_cast<std::ptrdiff_t>(at),
        data.texts.begin() + static_cast<std::ptrdiff_t>(std::min(at + kChunk, data.texts.size())));
    auto embedded = embedder->embed_many(chunk);
    if (!embedded) return Unexpected(embedded.error());
    std::move(embedded->vectors.begin(), embedded->vectors.end(), std::back_inserter(vectors));
    if (options.progress && at / kChunk % 10 == 0)
      options.progress("embedded " + std::to_string(vectors.size()) + " of " +
                       std::to_string(data.texts.size()));
  }
  return vectors;
}

/// Returns row numbers in random order, in which every part has about the same share of each label.
std::vector<std::size_t> stratified(const Dataset& data, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t label = 0; label < data.names.size(); ++label) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < data.labels.size(); ++i) {
      if (data.labels[i] == label) rows.push_back(i);
    }
    // std::shuffle gives other orders with other standard libraries.
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random() % i]);
    for (std::size_t i = 0; i < rows.size(); ++i)
      order.emplace_back((static_cast<double>(i) + 0.5) / static_cast<double>(rows.size()), rows[i]);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> out;
  for (const auto& [place, row] : order) out.push_back(row);
  return out;
}

/// Chooses regularisation and temperature by cross-validation on `rows`, then fits a head on all `rows`.
SoftmaxModel fit(const LabelledRows& rows, TextReport& report) {
  const std::size_t classes = report.labels.size();
  double best = INFINITY;
  for (const double regularisation : kRegularisations) {
    std::vector<std::vector<double>> logits(rows.features.size());
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      LabelledRows others;
      for (std::size_t i = 0; i < rows.features.size(); ++i) {
        if (i % kFolds == fold) continue;
        others.features.push_back(rows.features[i]);
        others.labels.push_back(rows.labels[i]);
      }
      const SoftmaxModel model = fit_softmax(others, classes, regularisation);
      for (std::size_t i = fold; i < rows.features.size(); i += kFolds)
        logits[i] = model.logits(rows.features[i]);
    }
    const double temperature = fit_temperature(logits, rows.labels);
    const double loss = log_loss(logits, rows.labels, temperature);
    if (loss < best) {
      best = loss;
      report.regularisation = regularisation;
      report.temperature = temperature;
    }
  }
  return fit_softmax(rows, classes, report.regularisation);
}

void evaluate(const SoftmaxModel& model, const LabelledRows& rows, TextReport& report) {
  std::vector<std::vector<double>> logits;
  std::array<double, 10> confidence{};
  std::array<double, 10> right{};
  std::array<std::size_t, 10> count{};
  report.confusion.assign(model.classes, std::vector<std::size_t>(model.classes));
  std::size_t correct = 0;
  for (std::size_t i = 0; i < rows.features.size(); ++i) {
    logits.push_back(model.logits(rows.features[i]));
    const auto most = std::max_element(logits.back().begin(), logits.back().end());
    const auto given = static_cast<std::size_t>(most - logits.back().begin());
    ++report.confusion[rows.labels[i]][given];
    double sum = 0;
    for (const double value : logits.back()) sum += std::exp((value - *most) / report.temperature);
    const auto bin = std::min<std::size_t>(9, static_cast<std::size_t>(10 / sum));
    confidence[bin] += 1 / sum;
    right[bin] += given == rows.labels[i] ? 1 : 0;
    ++count[bin];
    correct += given == rows.labels[i] ? 1 : 0;
  }
  const auto total = static_cast<double>(rows.features.size());
  report.held_out = rows.features.size();
  report.accuracy = static_cast<double>(correct) / total;
  report.log_loss = log_loss(logits, rows.labels, report.temperature);
  for (std::size_t bin = 0; bin < count.size(); ++bin) {
    if (count[bin] > 0) report.calibration_error += std::abs(confidence[bin] - right[bin]) / total;
  }
}

Result<void> write_model(const TrainTextOptions& options, const SoftmaxModel& model, const TextReport& report,
                         const fs::path& directory) {
  auto version = choose_version(options.base);
  if (!version) return Unexpected(version.error());
  auto base = read_manifest(options.base, *version);
  if (!base) return Unexpected(base.error());
  std::vector<float> weight;
  std::vector<float> bias;
  for (const double value : model.weight) weight.push_back(static_cast<float>(value / report.temperature));
  for (const double value : model.bias) bias.push_back(static_cast<float>(value / report.temperature));
  auto staged = StagedFolder::create(directory);
  if (!staged) return Unexpected(staged.error());
  auto folder = staged->subfolder("1");
  if (!folder) return Unexpected(folder.error());
  const fs::path base_folder = options.base / *version;
  if (auto built =
          with_torch<libtorch::build_text_head>(base_folder / base->file, weight, bias, *folder / "model.pt");
      !built)
    return built;
  const std::string& vocab = base->tokenizer->vocab;
  if (auto copied = copy_durably(base_folder / vocab, *folder / vocab); !copied) return copied;
  Manifest manifest = *base;
  manifest.task = "text-classification";
  manifest.file = "model.pt";
  manifest.outputs = {{"logits", DType::kFp32, Shape{static_cast<std::int64_t>(report.labels.size())}}};
  manifest.labels = report.labels;
  manifest.scores.clear();
  manifest.weights = "trained";
  manifest.sha256.clear();
  JsonWriter origin;
  origin.spaced().begin_object().key("base").value(base->name).key("rows").value(report.trained).end_object();
  manifest.source = std::move(origin).text();
  if (auto written = write_manifest(manifest, staged->path()); !written) return written;
  return staged->commit();
}

}  // namespace

Result<TextReport> train_text(const TrainTextOptions& options, const fs::path& directory) {
  try {
    std::error_code ignored;
    if (fs::exists(directory, ignored))
      return fail(ErrorCode::kFailedPrecondition,
                  directory.string() + ": exists already; choose another folder or remove it");
    if (!(options.held_out > 0) || options.held_out > 0.9)
      return invalid("held_out: " + number_text(options.held_out) + " must be above 0 and at most 0.9");
    auto data = read_dataset(options);
    if (!data) return Unexpected(data.error());
    auto vectors = embed_all(options, *data);
    if (!vectors) return Unexpected(vectors.error());
    const std::vector<std::size_t> order = stratified(*data, options.seed);
    const auto every = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(1 / options.held_out)));
    LabelledRows training;
    LabelledRows held_out;
    for (std::size_t i = 0; i < order.size(); ++i) {
      LabelledRows& part = i % every == every / 2 ? held_out : training;
      part.features.emplace_back((*vectors)[order[i]]);
      part.labels.push_back(data->labels[order[i]]);
    }
    TextReport report;
    report.labels = data->names;
    report.trained = training.features.size();
    if (options.progress) options.progress("fitting " + std::to_string(report.trained) + " rows");
    const SoftmaxModel model = fit(training, report);
    evaluate(model, held_out, report);
    auto written = write_model(options, model, report, directory);
    if (!written) return Unexpected(written.error());
    return report;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const fs::filesystem_error& e) {
    return fail(ErrorCode::kFailedPrecondition, e.what());
  }
}

}  // namespace infer::inline v0
