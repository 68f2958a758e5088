#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "duplicates/grouping.h"
#include "duplicates/report.h"
#include "duplicates/thumbnail.h"
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
#include "sha256.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::string folder;
  std::string model;
  std::string device = "cpu";
  std::string html;
  std::string json;
  Thresholds thresholds;
  bool top_only = false;
  bool force_cosine = false;
};

/// Pairs this far apart are kept for the page's sliders; unrelated photographs seldom come so near.
constexpr Thresholds kLoosest{12, 0.85F};

struct Seen {
  Photo photo;
  std::optional<Error> error;
};

bool same_pixels(const Image& a, const Image& b) {
  return std::equal(a.pixels.get(), a.pixels.get() + a.width * a.height * Image::kChannels, b.pixels.get());
}

/// What transparent pixels hide says nothing about a picture, so it is looked at over white and over black. A
/// picture that is plain over either matches by its bytes alone.
Result<Image> look_at(const std::string& path, Photo& photo, bool& transparent) {
  auto bytes = read_photo(path);
  if (!bytes) return Unexpected(bytes.error());
  photo.path = path;
  photo.bytes = bytes->size();
  photo.sha256 = adapter::sha256(*bytes);
  auto image = decode_image_over(*bytes, Background::kWhite);
  if (!image) return image;
  photo.width = image->width;
  photo.height = image->height;
  auto hash = content_hash(*image);
  photo.hash = hash.value_or(0);
  photo.hash_over_black = photo.hash;
  photo.has_content = hash.has_value();
  if (probe_image(*bytes).value().format != ImageFormat::kPng) return image;  // JPEG has no alpha
  auto over_black = decode_image_over(*bytes, Background::kBlack);
  if (!over_black) return over_black;
  transparent = !same_pixels(*image, *over_black);
  if (!transparent) return image;
  hash = content_hash(*over_black);
  photo.hash_over_black = hash.value_or(0);
  photo.has_content = photo.has_content && hash.has_value();
  return image;
}

/// Sees to it that each file is looked at under one name: symbolic links are left out, and of the names of one
/// file all but the first. Such names are no copies, and to remove the file under one may remove it for all.
class OneNameEach {
 public:
  bool is_another_name(const std::string& path) {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) return false;  // said when it is read
    if (S_ISLNK(status.st_mode) || !seen_.emplace(status.st_dev, status.st_ino).second) {
      ++left_out_;
      return true;
    }
    return false;
  }
  std::size_t left_out() const noexcept { return left_out_; }

 private:
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::size_t left_out_ = 0;
};

/// Why the cosine stage is off, or "on".
std::string cosine_stage(const Arguments& arguments, const std::optional<ImageEmbedder>& embedder) {
  if (!embedder) return "off: no --model was given";
  const bool random = embedder->engine().model().manifest.weights == "random";
  if (random && !arguments.force_cosine)
    return "off: the model has random weights (--force-cosine turns it on)";
  return "on";
}

void add_thumbnails(DuplicatesReport& report) {
  report.thumbnails.resize(report.photos.size());
  for (const Link& link : report.links) {
    for (const std::size_t i : {link.a, link.b}) {
      if (!report.thumbnails[i].empty()) continue;
      const auto bytes = read_photo(report.photos[i].path);
      const auto image = bytes ? decode_image_over(*bytes, Background::kWhite) : Unexpected(bytes.error());
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

void print_groups(const DuplicatesReport& report, std::size_t other_names) {
  const auto groups = groups_of(report.photos, chosen_links(report));
  std::size_t extra = 0;
  for (const Group& group : groups) {
    extra += group.links.size();
    std::cout << printable(report.photos[group.keep].path) << '\n';
    for (const Link& link : group.links) {
      std::cout << "  " << printable(report.photos[link.b].path) << "  " << to_string(link.stage);
      if (link.stage != Stage::kExact) std::cout << ", " << link.distance << " of 64 bits differ";
      if (link.cosine && link.stage == Stage::kCosine) std::cout << ", cosine " << *link.cosine;
      std::cout << '\n';
    }
  }
  std::cout << grouped(report.photos.size()) << " photographs, " << grouped(groups.size()) << " groups, "
            << grouped(extra) << " more than needed";
  if (report.skipped > 0) std::cout << ", " << grouped(report.skipped) << " files skipped";
  if (other_names > 0) std::cout << ", " << grouped(other_names) << " links and other names of a file left out";
  std::cout << "; cosine stage " << report.cosine_stage << '\n';
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer duplicates: " << printable(error.message) << '\n';
    return 1;
  };
  const Interrupt interrupt;
  prepare_process(1);
  std::optional<ImageEmbedder> embedder;
  if (!arguments.model.empty()) {
    auto opened = open_embedder(arguments.model, arguments.device);
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
  OneNameEach names;
  const std::size_t cores = usable_cores(read_cpu_limits(), affinity_cores());
  OrderedPipeline<Seen> pipeline(cores, embedder ? folder_window(embedder->engine()) : 4 * cores);
  pipeline.run([&] {
                 auto path = files.next();
                 while (path && names.is_another_name(*path)) path = files.next();
                 return path;
               },
               [&](std::size_t index, const std::string& path, auto& results) {
                 auto seen = std::make_shared<Seen>();
                 seen->photo.path = path;
                 bool transparent = false;
                 auto image = look_at(path, seen->photo, transparent);
                 if (!image) {
                   seen->error = image.error();
                 } else if (embedder && seen->photo.has_content && !transparent) {
                   auto started = embedder->embed_async(
                       *image, {}, [&results, index, seen](Result<std::vector<float>>&& vector) {
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
    return give_up(
        {ErrorCode::kNotFound, arguments.folder + ": holds no .jpg, .jpeg or .png that can be read", {}});
  }
  report.links = find_links(report.photos, report.loosest);
  const std::string json = groups_json(report);
  if (!arguments.json.empty() && arguments.json != "-") {
    if (auto written = write_file(arguments.json, json + '\n'); !written) return give_up(written.error());
  }
  if (!arguments.html.empty()) {
    add_thumbnails(report);
    if (auto written = write_file(arguments.html, report_page(report)); !written)
      return give_up(written.error());
  }
  if (arguments.json == "-") {
    std::cout << json << '\n';
  } else {
    print_groups(report, names.left_out());
    if (!arguments.html.empty()) std::cout << printable(arguments.html) << ": open it in a browser\n";
  }
  return report.skipped > 0 ? kSomeSkipped : 0;
}

}  // namespace

void add_duplicates_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* duplicates =
      app.add_subcommand("duplicates", "Find photographs that are the same, or nearly, in a folder");
  duplicates->add_option("folder", arguments->folder, "Folder of JPEG and PNG files")
      ->required()
      ->check(CLI::ExistingDirectory);
  duplicates
      ->add_option("--html", arguments->html, "Write a page with thumbnails, scores and a removal script")
      ->type_name("FILE");
  duplicates->add_option("--json", arguments->json, "Write the groups as JSON; - prints them")
      ->type_name("FILE");
  duplicates
      ->add_option("--max-distance", arguments->thresholds.distance,
                   "Perceptual hashes of 64 bits that differ in no more are alike")
      ->check(CLI::Range(0, 32))
      ->capture_default_str();
  duplicates->add_option("--model", arguments->model, "Also compare the vectors of this model")
      ->type_name("DIR");
  duplicates
      ->add_option("--min-cosine", arguments->thresholds.cosine, "Vectors whose cosine is no less are alike")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  duplicates->add_flag(
      "--force-cosine", arguments->force_cosine,
      "Compare vectors even of a model with random weights, which say nothing about content");
  duplicates->add_option("--device", arguments->device, "cpu or cuda:N")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  duplicates->add_flag("--top-only", arguments->top_only, "Leave out the folders below");
  duplicates->footer(
      "Stages: the same bytes (SHA-256), then the perceptual hash (Zauner's DCT hash), then, with --model, "
      "the\n"
      "cosine of the model's vectors. Nothing is ever deleted: the page writes a script for you to read and "
      "run.\n"
      "Exit code: 0 done, 3 done but some files could not be read, 1 nothing could be done, 2 wrong "
      "usage.\n\n"
      "Examples:\n"
      "  infer duplicates photos --html report.html\n"
      "  infer duplicates photos --json groups.json --max-distance 4\n"
      "  infer duplicates photos --model models/clip --html report.html");
  duplicates->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
