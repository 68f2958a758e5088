#include "infer/tools/embed_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <mutex>
#include <numeric>
#include <utility>

#include "tools/folder/file_stamp.h"
#include "tools/folder/made_with.h"
#include "tools/folder/ordered_pipeline.h"
#include "tools/folder/photo_reader.h"
#include "tools/folder/vector_file.h"

namespace infer::inline v0::tools {
namespace {

struct Row {
  std::string path;
  FileStamp stamp;
  Result<std::vector<float>> vector;
};

/// Restores the order of names, whatever was added, changed or removed between two runs: records the row,
/// if any, of each file of the walk.
class RowOrder {
 public:
  void add(std::optional<std::size_t> row) {
    const std::lock_guard lock(mutex_);
    rows_.push_back(row.value_or(kPending));
  }
  /// Assigns rows to files in the order in which they were added. A skipped file has no row.
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

/// Returns the row of a file, unless the file has changed since.
std::optional<std::size_t> row_of(const VectorFile& file, const std::string& path) {
  const auto stamp = stamp_of(path);
  return stamp ? file.find(path, *stamp) : std::nullopt;
}

/// The result of the walk before a run.
struct Review {
  std::size_t missing = 0;  ///< Files without a row.
  std::size_t dropped = 0;  ///< Rows of changed or deleted files.
};

/// A path that contains no file or could not be examined. Files below it may be missing only temporarily.
struct Unseen {
  std::string path;
  std::string why;
  bool is_missing_argument;  ///< May be a pattern that the shell did not expand, so that any row could be
                             ///< below it.
};

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder) &&
         (path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/');
}

/// Walks all files and drops the rows of changed or deleted files. Rows of existing files that are not part
/// of this run are an error, and so are rows of files that may be missing only temporarily: computing them
/// may have taken days. Drops nothing when `stop` is requested.
Result<Review> review(VectorFile& file, const EmbedFolderOptions& options, const std::stop_token& stop) {
  Review out;
  std::vector<bool> backed(file.rows());
  std::vector<Unseen> unseen;
  bool found = false;
  for (const std::string& argument : options.paths) {
    bool found_here = false;
    // Walks the files of all shards, since a folder may contain files of other shards only.
    ImageFiles walk({argument}, options.recursive, {}, [&](const auto& path, const auto& why) {
      unseen.push_back({path, why, path == argument});
    });
    while (auto path = walk.next()) {
      if (stop.stop_requested()) return Review{};
      found_here = true;
      if (!options.shard.takes(*path)) continue;
      if (const auto row = row_of(file, *path)) {
        backed[*row] = true;
      } else {
        ++out.missing;
      }
    }
    if (!found_here) unseen.push_back({argument, "contains no photo", false});
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
      return fail(ErrorCode::kInvalidArgument,
                  options.out.string() + " has a row of " + path +
                      ", which is not part of this run; use the paths, --recursive and --shard of the "
                      "earlier run, or choose another --out");
    }
    const auto cause = std::ranges::find_if(unseen, [&](const Unseen& one) {
      return !found || one.is_missing_argument || is_at_or_below(path, one.path);
    });
    if (gone && cause != unseen.end()) {
      return fail(
          ErrorCode::kFailedPrecondition,
          cause->path + ": " + cause->why + ", and " + options.out.string() + " has a row of " + path +
              ", which is missing; make the files available again, or replace the output with --force");
    }
    if (!of_file) ++out.dropped;  // else the path was named twice, and gets its second row again
  }
  if (kept.size() < file.rows()) {
    if (auto arranged = file.arrange(kept); !arranged) return Unexpected(arranged.error());
  }
  return out;
}

/// Sorts the rows into the order of the walk, unless missing files may return.
Result<void> arrange(VectorFile& file, const std::vector<std::size_t>& rows, bool all_seen,
                     EmbedFolderReport& report) {
  std::vector<std::size_t> as_they_are(file.rows());
  std::iota(as_they_are.begin(), as_they_are.end(), std::size_t{0});
  std::vector<bool> found(file.rows());
  for (const std::size_t row : rows) found[row] = true;
  report.keeps_missing = !all_seen && std::ranges::find(found, false) != found.end();
  if (report.keeps_missing || rows == as_they_are) return {};
  return file.arrange(rows);
}

}  // namespace

std::size_t folder_window(const Engine& engine) {
  return 2 * engine.options().batch.max_batch_size * engine.options().threads.workers;
}

Result<EmbedFolderReport> embed_folder(const ImageEmbedder& embedder, const EmbedFolderOptions& options,
                                       const EmbedFolderEvents& events, const std::stop_token& stop) {
  auto out = VectorFile::open(options.out, embedder.dim(),
                              made_with(embedder.engine().model(), embedder.dim()), options.existing);
  if (!out) return Unexpected(out.error());
  VectorFile& file = **out;
  const bool resumes = file.rows() > 0;
  EmbedFolderReport report;

  // Walks first if rows may be outdated or progress is shown: a walk is fast compared with embedding.
  std::optional<std::size_t> total;
  if (resumes || options.count_first) {
    const auto seen = review(file, options, stop);
    if (!seen) return Unexpected(seen.error());
    total = seen->missing;
    report.dropped = seen->dropped;
  }
  RowOrder order;  // only when resuming, since new rows are in order
  std::mutex events_mutex;
  if (events.begins) events.begins(total);
  const auto skip = [&](const std::string& path, const std::string& why) {
    const std::lock_guard lock(events_mutex);
    if (events.skipped) events.skipped(path, why);
    ++report.skipped;
  };
  bool all_seen = true;  // the walk can fail hours after it began
  const auto skip_unseen = [&](const std::string& path, const std::string& why) {
    all_seen = false;
    skip(path, why);
  };
  ImageFiles files(options.paths, options.recursive, options.shard, skip_unseen);
  OrderedPipeline<Row> pipeline(embedder.engine().options().threads.usable_cores,
                                folder_window(embedder.engine()));
  std::stop_source broken;  // stops the run when the output cannot be written
  const std::stop_callback stopped(stop, [&] { broken.request_stop(); });
  std::optional<Error> failure;
  pipeline.run(
      [&]() -> std::optional<std::string> {
        while (auto path = files.next()) {
          if (!resumes) return path;
          const auto stamp = stamp_of(*path);
          if (!stamp) {  // embedding it could add a second row for the file
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
        // Read the stamp before the file, so that the next run notices a change in between.
        const FileStamp stamp = stamp_of(path).value_or(FileStamp{});
        auto bytes = read_photo(path);
        Result<void> started;
        if (bytes) {
          started = embedder.embed_async(*bytes, {},
                                         [&results, index, path, stamp](Result<std::vector<float>>&& vector) {
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
          ++report.written;
        }
        const std::lock_guard lock(events_mutex);
        if (events.progress) events.progress(report.written, report.skipped);
      },
      broken.get_token());
  if (failure) return Unexpected(*failure);
  report.interrupted = stop.stop_requested();
  if (resumes && !report.interrupted) {
    if (auto arranged = arrange(file, order.rows(), all_seen, report); !arranged)
      return Unexpected(arranged.error());
  }
  report.rows = file.rows();
  return report;
}

}  // namespace infer::inline v0::tools
