#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "folder/file_stamp.h"
#include "folder/image_files.h"
#include "folder/made_with.h"
#include "folder/ordered_pipeline.h"
#include "folder/photo_reader.h"
#include "folder/vector_file.h"
#include "infer/tasks/image_embedder.h"
#include "interrupt.h"
#include "json_writer.h"
#include "open_embedder.h"
#include "printable.h"
#include "process.h"
#include "progress.h"

namespace infer::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  std::string model = "models/clip-vit-b-32";
  std::string device = "cpu";
  std::string out;
  std::string shard = "1/1";
  bool recursive = false;
  bool resume = false;
  bool force = false;
  bool json = false;
};

struct Row {
  std::string path;
  FileStamp stamp;
  Result<std::vector<float>> vector;
};

struct Counts {
  std::size_t written = 0;
  std::size_t skipped = 0;
  std::size_t dropped = 0;  // rows of before, of files that changed or vanished
};

/// The order of the names, in which rows end up whatever was added, changed or removed between two runs:
/// which row each file got that was walked, or none.
class RowOrder {
 public:
  void add(std::optional<std::size_t> row) {
    const std::lock_guard lock(mutex_);
    rows_.push_back(row.value_or(kPending));
  }
  /// Files without a row get theirs in the order in which they were added; none for one that was skipped.
  void resolve(std::optional<std::size_t> row) {
    const std::lock_guard lock(mutex_);
    while (rows_[next_] != kPending) ++next_;
    rows_[next_++] = row.value_or(kNone);
  }
  std::vector<std::size_t> rows() const {
    std::vector<std::size_t> out;
    std::ranges::copy_if(rows_, std::back_inserter(out), [](std::size_t row) { return row < kNone; });
    return out;
  }

 private:
  static constexpr std::size_t kPending = SIZE_MAX;
  static constexpr std::size_t kNone = SIZE_MAX - 1;

  std::mutex mutex_;
  std::deque<std::size_t> rows_;
  std::size_t next_ = 0;
};

/// The row that a file has already, unless it has changed since.
std::optional<std::size_t> row_of(const VectorFile& file, const std::string& path) {
  const auto stamp = stamp_of(path);
  return stamp ? file.find(path, *stamp) : std::nullopt;
}

/// What a walk before the run finds.
struct Review {
  std::size_t missing = 0;  ///< Files without a row.
  std::size_t dropped = 0;  ///< Rows of files that changed or vanished.
};

/// A path below which the walk found no file or could not look: the files there may only be missing for now.
struct Unseen {
  std::string path;
  std::string why;
  bool is_missing_argument;  ///< May be a pattern that the shell could not expand: rows below it are unknown.
};

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder) &&
         (path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/');
}

/// Walks all files and drops the rows that no file backs any more. Rows of files that are there and were not
/// asked for this time are an error and not dropped, and so are rows of files that may only be missing for
/// now: they may have taken days. Drops nothing when `stop` is requested.
Result<Review> review(VectorFile& file, const Arguments& arguments, const Shard& shard,
                      const std::stop_token& stop) {
  Review out;
  std::vector<bool> backed(file.rows());
  std::vector<Unseen> unseen;
  bool found = false;
  for (const std::string& argument : arguments.paths) {
    bool found_here = false;
    // The files of all shards: a folder without a file for this shard is there all the same.
    ImageFiles walk({argument}, arguments.recursive, {}, [&](const auto& path, const auto& why) {
      unseen.push_back({path, why, path == argument});
    });
    while (auto path = walk.next()) {
      if (stop.stop_requested()) return Review{};
      found_here = true;
      if (!shard.takes(*path)) continue;
      if (const auto row = row_of(file, *path)) {
        backed[*row] = true;
      } else {
        ++out.missing;
      }
    }
    if (!found_here) unseen.push_back({argument, "holds no photo", false});
    found |= found_here;
  }
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < backed.size(); ++row) {
    if (stop.stop_requested()) return Review{};
    if (backed[row]) {
      kept.push_back(row);
      continue;
    }
    const auto recorded = file.path_of(row);
    if (!recorded) return Unexpected(recorded.error());
    const std::string& path = *recorded;
    struct stat status {};
    const bool gone = ::stat(path.c_str(), &status) != 0;
    if (gone && errno != ENOENT && errno != ENOTDIR)
      return fail(ErrorCode::kFailedPrecondition, path + ": " + std::strerror(errno));
    const auto of_file = row_of(file, path);
    if (of_file == row) {
      return fail(
          ErrorCode::kInvalidArgument,
          arguments.out + " has a row of " + path +
              ", which is not among the files of this run; name the paths, --recursive and --shard of "
              "the run before, or choose another --out");
    }
    const auto cause = std::ranges::find_if(unseen, [&](const Unseen& one) {
      return !found || one.is_missing_argument || is_at_or_below(path, one.path);
    });
    if (gone && cause != unseen.end()) {
      return fail(ErrorCode::kFailedPrecondition,
                  cause->path + ": " + cause->why + ", and " + arguments.out + " has a row of " + path +
                      ", which is missing too; make the files available again, or replace the output with "
                      "--force");
    }
    if (!of_file) ++out.dropped;  // else a path that was named twice: it gets its second row again
  }
  if (kept.size() < file.rows()) {
    if (auto arranged = file.arrange(kept); !arranged) return Unexpected(arranged.error());
  }
  return out;
}

int report(const Arguments& arguments, const Counts& counts, std::size_t rows, double seconds,
           bool interrupted) {
  const double rate = seconds > 0 ? static_cast<double>(counts.written) / seconds : 0;
  if (arguments.json) {
    adapter::JsonWriter json;
    json.begin_object().key("out").value(arguments.out).key("written").value(counts.written);
    json.key("rows").value(rows).key("skipped").value(counts.skipped);
    json.key("dropped").value(counts.dropped).key("seconds").value(seconds);
    json.key("images_per_second").value(rate).key("interrupted").value(interrupted).end_object();
    std::cout << json.text() << '\n';
  } else {
    std::cout << printable(arguments.out) << ": " << grouped(counts.written) << " images in "
              << clock_text(seconds);
    if (rows > counts.written) std::cout << ", " << grouped(rows) << " rows with those of before";
    if (counts.dropped > 0) {
      std::cout << "; " << grouped(counts.dropped)
                << (counts.dropped == 1 ? " row of a file" : " rows of files")
                << " that changed or vanished dropped";
    }
    if (counts.skipped > 0) std::cout << "; " << grouped(counts.skipped) << " skipped";
    std::cout << '\n';
  }
  if (interrupted) {
    std::cerr << "infer embed: stopped; what was written is complete, --resume continues it\n";
    return Interrupt::kExitCode;
  }
  return counts.skipped > 0 ? kSomeSkipped : 0;
}

int run(const Arguments& arguments) {
  const auto give_up = [](const Error& error) {
    std::cerr << "infer embed: " << printable(error.message) << '\n';
    return 1;
  };
  auto shard = Shard::parse(arguments.shard);
  if (!shard) return give_up(shard.error());
  const Interrupt interrupt;
  auto embedder = open_embedder(arguments.model, arguments.device, folder_limits());
  if (!embedder) return give_up(embedder.error());
  if (interrupt.requested()) {
    std::cerr << "infer embed: stopped; nothing was written\n";
    return Interrupt::kExitCode;
  }
  auto out =
      VectorFile::open(arguments.out, embedder->dim(), made_with(embedder->engine().model(), embedder->dim()),
                       arguments.resume  ? VectorFile::Existing::kResume
                       : arguments.force ? VectorFile::Existing::kReplace
                                         : VectorFile::Existing::kRefuse);
  if (!out) return give_up(out.error());
  VectorFile& file = **out;
  const bool resumes = file.rows() > 0;

  // Walked first where rows may be out of date or somebody watches: that takes a moment, embedding hours.
  std::optional<std::size_t> total;
  Counts counts;
  if (resumes || isatty(STDERR_FILENO) == 1) {
    const auto seen = review(file, arguments, *shard, interrupt.token());
    if (!seen) return give_up(seen.error());
    total = seen->missing;
    counts.dropped = seen->dropped;
  }
  RowOrder order;  // kept where there were rows: else they come in order
  Progress progress("images", total);
  std::mutex message;
  const auto skip = [&](const std::string& path, const std::string& why) {
    const std::lock_guard lock(message);
    progress.clear();
    std::cerr << printable(path) << ": " << printable(why) << '\n';
    ++counts.skipped;
  };
  bool all_seen = true;  // by the walk, which may fail hours after it began
  const auto skip_unseen = [&](const std::string& path, const std::string& why) {
    all_seen = false;
    skip(path, why);
  };
  ImageFiles files(arguments.paths, arguments.recursive, *shard, skip_unseen);
  OrderedPipeline<Row> pipeline(embedder->engine().options().threads.usable_cores,
                                folder_window(embedder->engine()));
  std::stop_source broken;  // the output cannot be written any more
  const std::stop_callback stop(interrupt.token(), [&] { broken.request_stop(); });
  std::optional<Error> failure;
  pipeline.run(
      [&]() -> std::optional<std::string> {
        while (auto path = files.next()) {
          if (!resumes) return path;
          const auto stamp = stamp_of(*path);
          if (!stamp) {  // embedding it anyway could give a file its second row
            skip_unseen(*path, std::strerror(errno));
            continue;
          }
          const auto row = file.find(*path, *stamp);
          order.add(row);
          if (!row) return path;
        }
        return std::nullopt;
      },
      [&](std::size_t index, const std::string& path, auto& results) {
        // Looked at before it is read: a file that changes meanwhile has another stamp in the next run.
        const FileStamp stamp = stamp_of(path).value_or(FileStamp{});
        auto bytes = read_photo(path);
        Result<void> started;
        if (bytes) {
          started = embedder->embed_async(
              *bytes, {}, [&results, index, path, stamp](Result<std::vector<float>>&& vector) {
                results.finish(index, Row{path, stamp, std::move(vector)});
              });
        } else {
          started = Unexpected(bytes.error());
        }
        if (!started) results.finish(index, Row{path, stamp, Unexpected(started.error())});
      },
      [&](Row&& row) {
        if (failure) return;
        if (!row.vector) {
          if (resumes) order.resolve(std::nullopt);
          skip(row.path, row.vector.error().message);
        } else if (auto appended = file.append(row.path, row.stamp, *row.vector); !appended) {
          failure = appended.error();
          broken.request_stop();
        } else {
          if (resumes) order.resolve(file.rows() - 1);
          ++counts.written;
        }
        const std::lock_guard lock(message);
        progress.update(counts.written, counts.skipped);
      },
      broken.get_token());
  progress.clear();
  if (failure) return give_up(*failure);
  if (resumes && !interrupt.requested()) {
    const auto rows = order.rows();
    std::vector<std::size_t> as_they_are(file.rows());
    std::iota(as_they_are.begin(), as_they_are.end(), std::size_t{0});
    std::vector<bool> found(file.rows());
    for (const std::size_t row : rows) found[row] = true;
    if (!all_seen && std::ranges::find(found, false) != found.end()) {
      std::cerr
          << "infer embed: " << printable(arguments.out)
          << " keeps the rows of files that could not be found, and its new rows are at the end; run with "
             "--resume again once the files are available\n";
    } else if (rows != as_they_are) {
      if (auto arranged = file.arrange(rows); !arranged) return give_up(arranged.error());
    }
  }
  if (counts.written + counts.skipped + file.rows() + counts.dropped == 0 && !interrupt.requested()) {
    std::cerr << "infer embed: found no JPEG or PNG"
              << (arguments.recursive ? "" : "; --recursive looks into folders too") << '\n';
    return 1;
  }
  return report(arguments, counts, file.rows(), progress.seconds(), interrupt.requested());
}

}  // namespace

void add_embed_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* embed =
      app.add_subcommand("embed", "Turn photographs into vectors: single files, or folders of any size.");
  embed->add_option("paths", arguments->paths, "JPEG and PNG files, and folders of such files.")->required();
  embed->add_option("-o,--out", arguments->out, "File to write; the name ends in .npy, .jsonl or .csv.")
      ->required()
      ->type_name("FILE");
  embed->add_option("--model", arguments->model, "Model folder.")
      ->type_name("DIR")
      ->capture_default_str()
      ->envname("INFER_MODEL");
  embed->add_option("--device", arguments->device, "Device that runs the model: cpu or cuda:N.")
      ->type_name("NAME")
      ->capture_default_str()
      ->envname("INFER_DEVICE");
  embed->add_flag("-r,--recursive", arguments->recursive, "Search the folders inside folders too.");
  embed
      ->add_option("--shard", arguments->shard,
                   "Embed only part I of N parts, such as 1/4. Run one process for each part.")
      ->type_name("I/N");
  CLI::Option* resume = embed->add_flag("--resume", arguments->resume,
                                        "Continue the output of an earlier run: embed new and changed files, "
                                        "and drop the rows of deleted files.");
  embed->add_flag("--force", arguments->force, "Replace the output if it exists.")->excludes(resume);
  embed->add_flag("--json", arguments->json, "Print the summary as JSON.");
  embed->footer(
      "The rows are sorted by file name. With .npy, FILE.npy.paths lists the paths, one JSON string on each "
      "line.\n"
      "FILE.state records the model and the files of the rows, so that --resume refuses another model and "
      "gives "
      "the same\n"
      "output as a run from the beginning.\n"
      "Exit code 3: some files were skipped; standard error names each of them.\n\n"
      "Examples:\n"
      "  infer embed photos -r -o vectors.npy\n"
      "  infer embed photos -r -o vectors.npy --resume\n"
      "  infer embed a.jpg b.png -o vectors.jsonl\n"
      "  for i in 1 2 3; do infer embed photos -r --shard $i/3 -o part$i.npy & done; wait");
  embed->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace infer::cli
