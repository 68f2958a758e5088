#include <sys/stat.h>

#include <algorithm>
#include <compare>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "duplicates/grouping.h"
#include "duplicates/report.h"
#include "duplicates/thumbnail.h"
#include "engine/digest.h"
#include "folder/image_files.h"
#include "folder/ordered_pipeline.h"
#include "folder/photo_reader.h"
#include "infer/core/thread_plan.h"
#include "infer/image/perceptual_hash.h"
#include "infer/tasks/image_embedder.h"
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
  std::string json;  // "-": to standard output
  std::string out;
  Thresholds thresholds;
  bool top_only = false;
  bool force_cosine = false;
};

/// Pairs this far apart are kept for the page's sliders; unrelated photographs seldom come so near.
constexpr Thresholds kLoosest{12, 0.85F};

/// The file that a path names, whatever other paths it has.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

struct Seen {
  Photo photo;
  std::optional<Error> error;
};

/// Fills in all that the pixels tell, and returns them. No image is held while another is decoded: both could
/// wait for memory that others hold who wait as well.
Result<Image> look_at(const std::string& path, const DecodeLimits& limits, Photo& photo) {
  auto bytes = read_photo(path);
  if (!bytes) return Unexpected(bytes.error());
  photo.path = path;
  photo.bytes = bytes->size();
  photo.sha256 = sha256(std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()));
  bool transparent = false;
  for (std::size_t i = 0; i < photo.hashes.size(); ++i) {
    const auto over = decode_over(*bytes, i == 0 ? 255 : 0, limits);
    if (!over || !*over) continue;
    photo.hashes[i] = perceptual_hash(**over);
    transparent = true;
  }
  auto image = decode_image(*bytes, limits);
  if (!image) return image;
  photo.width = image->width;
  photo.height = image->height;
  if (!transparent) photo.hashes.fill(perceptual_hash(*image));
  return image;
}

/// Why the cosine stage is off, or "on".
std::string cosine_stage(const Arguments& arguments, const std::optional<ImageEmbedder>& embedder) {
  if (!embedder) return "off: no --model was given";
  const bool random = embedder->engine().model().manifest.weights == "random";
  if (random && !arguments.force_cosine)
    return "off: the model has random weights (--force-cosine turns it on)";
  return "on";
}

void add_thumbnails(DuplicatesReport& report, const DecodeLimits& limits) {
  report.thumbnails.resize(report.photos.size());
  for (const Link& link : report.links) {
    for (const std::size_t i : {link.a, link.b}) {
      if (!report.thumbnails[i].empty()) continue;
      const auto bytes = read_photo(report.photos[i].path);
      const auto image = bytes ? decode_image(*bytes, limits) : Unexpected(bytes.error());
      report.thumbnails[i] = image ? thumbnail(*image) : "data:,";  // gone since it was read
    }
  }
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail(ErrorCode::kFailedPrecondition, path + ": cannot be written");
  return {};
}

void print_groups(const DuplicatesReport& report) {
  const auto links = chosen_links(report);
  const auto groups = find_groups(report.photos, links);
  std::size_t extra = 0;
  for (const Group& group : groups) {
    extra += group.members.size();
    std::cout << printable(report.photos[group.keep].path) << '\n';
    for (const auto& [photo, link] : group.members) {
      std::cout << "  " << printable(report.photos[photo].path) << "  " << to_string(link.stage);
      if (link.stage != Stage::kExact && link.distance)
        std::cout << ", " << *link.distance << " of 64 bits differ";
      if (link.cosine && link.stage == Stage::kCosine) std::cout << ", cosine " << *link.cosine;
      std::cout << '\n';
    }
  }
  std::cout << grouped(report.photos.size()) << " photographs, " << grouped(groups.size()) << " groups, "
            << grouped(extra) << " more than needed";
  if (report.skipped > 0) std::cout << ", " << grouped(report.skipped) << " files skipped";
  if (report.symbolic_links > 0)
    std::cout << ", " << grouped(report.symbolic_links) << " symbolic links left out";
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
  DuplicatesReport report;
  report.folder = arguments.folder;
  report.model = arguments.model;
  report.thresholds = arguments.thresholds;
  report.loosest = {std::max(kLoosest.distance, arguments.thresholds.distance),
                    std::min(kLoosest.cosine, arguments.thresholds.cosine)};
  report.cosine_stage = cosine_stage(arguments, embedder);
  if (report.cosine_stage != "on") embedder.reset();

  Progress progress("photographs", std::nullopt);
  std::mutex message;
  const auto skip = [&](const std::string& path, const std::string& why) {
    const std::lock_guard lock(message);
    progress.clear();
    std::cerr << printable(path) << ": " << printable(why) << '\n';
    ++report.skipped;
  };
  ImageFiles files({arguments.folder}, !arguments.top_only, {}, skip);
  // Two paths of one file are one photograph, and a symbolic link is none: removing "a copy" would remove the
  // only one, or leave a link that leads nowhere.
  std::map<FileId, std::string> first_path;
  std::map<std::string, std::vector<std::string>> also;
  const auto next_photograph = [&]() -> std::optional<std::string> {
    while (auto path = files.next()) {
      struct stat status {};
      if (::lstat(path->c_str(), &status) != 0) return path;  // gone: reading it says so
      if (S_ISLNK(status.st_mode)) {
        ++report.symbolic_links;
        continue;
      }
      const auto [known, is_new] = first_path.emplace(FileId{status.st_dev, status.st_ino}, *path);
      if (is_new) return path;
      also[known->second].push_back(*path);
    }
    return std::nullopt;
  };
  const std::size_t cores = usable_cores(read_cpu_limits(), affinity_cores());
  OrderedPipeline<Seen> pipeline(cores, embedder ? folder_window(embedder->engine()) : 4 * cores);
  pipeline.run(
      next_photograph,
      [&](std::size_t index, const std::string& path, auto& results) {
        auto seen = std::make_shared<Seen>();
        seen->photo.path = path;
        auto image = look_at(path, limits, seen->photo);
        if (!image) {
          seen->error = image.error();
        } else if (embedder) {
          auto started =
              embedder->embed_async(*image, {}, [&results, index, seen](Result<std::vector<float>>&& vector) {
                if (vector) {
                  seen->photo.vector = *std::move(vector);
                } else {
                  seen->error = vector.error();
                }
                results.finish(index, std::move(*seen));
              });
          if (started) return;
          seen->error = started.error();
        }
        results.finish(index, std::move(*seen));
      },
      [&](Seen&& seen) {
        if (seen.error) {
          skip(seen.photo.path, seen.error->message);
        } else {
          report.photos.push_back(std::move(seen.photo));
        }
        const std::lock_guard lock(message);
        progress.update(report.photos.size(), report.skipped);
      },
      interrupt.token());
  progress.clear();
  if (interrupt.requested()) {
    std::cerr << "infer duplicates: stopped; nothing was written\n";
    return Interrupt::kExitCode;
  }
  if (report.photos.empty()) {
    return give_up({ErrorCode::kNotFound, arguments.folder + ": holds no JPEG or PNG that can be read", {}});
  }
  for (Photo& photo : report.photos) photo.also = std::move(also[photo.path]);
  sort_by_preference(report.photos);
  report.links = find_links(report.photos, report.loosest);
  const std::string json = groups_json(report);
  for (const std::string& file : {arguments.out, arguments.json == "-" ? std::string() : arguments.json}) {
    if (file.empty()) continue;
    if (auto written = write_file(file, json + '\n'); !written) return give_up(written.error());
  }
  if (!arguments.html.empty()) {
    add_thumbnails(report, limits);
    if (auto written = write_file(arguments.html, report_page(report)); !written)
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
  // --json FILE is the earlier form of --out FILE.
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
      "Photographs are compared by their bytes (SHA-256), then by their perceptual hash (Zauner's DCT hash), "
      "then, with\n"
      "--model, by the cosine of the model's vectors. Each photograph of a group is alike to the one that is "
      "kept.\n"
      "Pictures of one color match only by their bytes. Hard links count as one photograph, and symbolic "
      "links are\n"
      "skipped. No file is deleted: the page writes a script for you to read and run.\n"
      "Exit code 3: some files could not be read.\n\n"
      "Examples:\n"
      "  infer duplicates photos --html report.html\n"
      "  infer duplicates photos --out groups.json --max-distance 4\n"
      "  infer duplicates photos --model models/clip --html report.html");
  duplicates->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
