#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base64.h"
#include "commands.h"
#include "engine/durable_file.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tools/duplicates.h"
#include "infer/tools/duplicates_report.h"
#include "infer/tools/read_photos.h"
#include "infer/tools/thumbnail.h"
#include "interrupt.h"
#include "open_embedder.h"
#include "printable.h"
#include "process.h"
#include "progress.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::string folder;
  std::string model;
  std::string device = "cpu";
  std::string html;
  std::string json;  // "-" stands for standard output.
  std::string out;
  tools::Thresholds thresholds;
  bool top_only = false;
  bool force_cosine = false;
};

/// The page keeps pairs up to these thresholds for its sliders. Unrelated photographs are rarely that
/// similar.
constexpr tools::Thresholds kLoosest{12, 0.85F};

/// Returns "on", or why the cosine stage is off.
std::string cosine_stage(const Arguments& arguments, const std::optional<ImageEmbedder>& embedder) {
  if (!embedder) return "off: no --model was given";
  const bool random = embedder->engine().model().manifest.weights == "random";
  if (random && !arguments.force_cosine)
    return "off: the model has random weights (--force-cosine turns it on)";
  return "on";
}

void add_thumbnails(tools::DuplicatesReport& report, const DecodeLimits& limits) {
  report.thumbnails.resize(report.photos.size());
  for (const tools::Link& link : report.links) {
    for (const std::size_t i : {link.a, link.b}) {
      if (!report.thumbnails[i].empty()) continue;
      const auto jpeg = tools::thumbnail_of(report.photos[i].path, limits);
      // The file may have been deleted after it was read.
      report.thumbnails[i] =
          jpeg ? "data:image/jpeg;base64," + adapter::encode_base64(*jpeg) : std::string("data:,");
    }
  }
}

/// Replaces a file as a whole, so that a failed write leaves the old content. A pipe or device is written
/// directly.
Result<void> write_file(const std::string& path, const std::string& text) {
  std::error_code error;
  const auto there = std::filesystem::status(path, error);
  if (!std::filesystem::exists(there)) return write_durably(path, text);
  if (std::filesystem::is_regular_file(there))
    return write_durably(std::filesystem::canonical(path, error), text);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail(ErrorCode::kFailedPrecondition, path + ": cannot be written");
  return {};
}

void print_groups(const tools::DuplicatesReport& report) {
  const auto links = tools::chosen_links(report);
  const auto groups = tools::find_groups(report.photos, links);
  std::size_t extra = 0;
  for (const tools::Group& group : groups) {
    extra += group.members.size();
    std::cout << printable(report.photos[group.keep].path) << '\n';
    for (const auto& [photo, link] : group.members) {
      std::cout << "  " << printable(report.photos[photo].path) << "  " << to_string(link.stage);
      if (link.stage != tools::Stage::kExact && link.distance)
        std::cout << ", " << *link.distance << " of 64 bits differ";
      if (link.cosine && link.stage == tools::Stage::kCosine) std::cout << ", cosine " << *link.cosine;
      std::cout << '\n';
    }
  }
  std::cout << counted(report.photos.size(), "photograph", "photographs") << ", "
            << counted(groups.size(), "group", "groups") << ", "
            << counted(extra, "redundant copy", "redundant copies");
  if (report.skipped > 0) std::cout << ", " << counted(report.skipped, "file", "files") << " skipped";
  if (report.symbolic_links > 0)
    std::cout << ", " << counted(report.symbolic_links, "symbolic link", "symbolic links") << " skipped";
  std::cout << "; cosine stage " << report.cosine_stage << '\n';
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer duplicates: " << printable(error.message) << '\n';
    return 1;
  };
  const Interrupt interrupt;
  prepare_process(1);
  const DecodeLimits limits = folder_limits();
  std::optional<ImageEmbedder> embedder;
  if (!arguments.model.empty()) {
    auto opened = open_embedder(arguments.model, arguments.device, limits);
    if (!opened) return give_up(opened.error());
    embedder = *std::move(opened);
  }
  tools::DuplicatesReport report;
  report.folder = arguments.folder;
  report.model = arguments.model;
  report.thresholds = arguments.thresholds;
  report.loosest = {std::max(kLoosest.distance, arguments.thresholds.distance),
                    std::min(kLoosest.cosine, arguments.thresholds.cosine)};
  report.cosine_stage = cosine_stage(arguments, embedder);
  if (report.cosine_stage != "on") embedder.reset();

  Progress progress("photographs", std::nullopt);
  const tools::ReadPhotosEvents events{
      .skipped =
          [&](const std::string& path, const std::string& why) {
            progress.clear();
            std::cerr << printable(path) << ": " << printable(why) << '\n';
          },
      .progress = [&](std::size_t read, std::size_t skipped) { progress.update(read, skipped); },
  };
  auto found = tools::read_photos({.folder = arguments.folder,
                                   .recursive = !arguments.top_only,
                                   .embedder = embedder ? &*embedder : nullptr,
                                   .limits = limits},
                                  events, interrupt.token());
  progress.clear();
  if (interrupt.requested()) {
    std::cerr << "infer duplicates: stopped; nothing was written\n";
    return Interrupt::kExitCode;
  }
  report.photos = std::move(found.photos);
  report.skipped = found.skipped;
  report.symbolic_links = found.symbolic_links;
  if (report.photos.empty()) {
    return give_up({ErrorCode::kNotFound, arguments.folder + ": contains no readable JPEG or PNG file", {}});
  }
  report.links = tools::find_links(report.photos, report.loosest);
  const std::string json = tools::groups_json(report);
  for (const std::string& file : {arguments.out, arguments.json == "-" ? std::string() : arguments.json}) {
    if (file.empty()) continue;
    if (auto written = write_file(file, json + '\n'); !written) return give_up(written.error());
  }
  if (!arguments.html.empty()) {
    add_thumbnails(report, limits);
    if (auto written = write_file(arguments.html, tools::report_page(report)); !written)
      return give_up(written.error());
  }
  if (arguments.json == "-") {
    std::cout << json << '\n';
  } else {
    print_groups(report);
    if (!arguments.html.empty()) std::cout << printable(arguments.html) << ": open it in a browser\n";
  }
  return report.skipped > 0 ? kSomeSkipped : 0;
}

}  // namespace

void add_duplicates_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* duplicates =
      app.add_subcommand("duplicates", "Find photographs in a folder that are equal or almost equal.");
  duplicates->add_option("folder", arguments->folder, "Folder of JPEG and PNG files.")
      ->type_name("DIR")
      ->required()
      ->check(CLI::ExistingDirectory);
  duplicates
      ->add_option("--html", arguments->html,
                   "Write a page with thumbnails, scores and a removal script to FILE.")
      ->type_name("FILE");
  // --json FILE is the former form of --out FILE.
  duplicates->add_option("--json", arguments->json, "Print the groups as JSON.")
      ->expected(0, 1)
      ->default_str("-")
      ->option_text(" ");
  duplicates->add_option("-o,--out", arguments->out, "Write the groups to FILE, as JSON.")->type_name("FILE");
  duplicates
      ->add_option(
          "--max-distance", arguments->thresholds.distance,
          "Photographs are alike if their perceptual hashes of 64 bits differ in at most this many bits.")
      ->check(CLI::Range(0, 32))
      ->capture_default_str();
  duplicates->add_option("--model", arguments->model, "Model folder: also compare the vectors of this model.")
      ->type_name("DIR");
  duplicates
      ->add_option("--min-cosine", arguments->thresholds.cosine,
                   "Photographs are alike if the cosine of their vectors is at least this.")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  duplicates->add_flag(
      "--force-cosine", arguments->force_cosine,
      "Compare vectors even if the model has random weights, whose vectors say nothing about content.");
  duplicates->add_option("--device", arguments->device, "Device that runs the model: cpu or cuda:N.")
      ->type_name("NAME")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  duplicates->add_flag("--top-only", arguments->top_only, "Do not search the folders inside the folder.");
  duplicates->footer(
      "Photographs are compared by their bytes (SHA-256), then by their perceptual hash (Zauner's DCT hash) "
      "and\n"
      "their colors, then, with --model, by the cosine of the model's vectors. Each photograph of a group is "
      "alike\n"
      "to the one that is kept. Pictures of one color match only by their bytes. Hard links count as one\n"
      "photograph, and symbolic links are skipped. No file is deleted: the page writes a script for you to "
      "read\n"
      "and run.\n"
      "Exit code 3: some files could not be read.\n\n"
      "Examples:\n"
      "  infer duplicates photos --html report.html\n"
      "  infer duplicates photos --out groups.json --max-distance 4\n"
      "  infer duplicates photos --model models/clip --html report.html");
  duplicates->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
