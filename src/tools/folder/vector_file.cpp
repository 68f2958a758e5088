#include "tools/folder/vector_file.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <numeric>
#include <string_view>
#include <utility>

#include "engine/json_writer.h"

namespace infer::inline v0::tools {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // the limit of the kernel

Unexpected unreadable(const fs::path& path) {
  return fail(ErrorCode::kFailedPrecondition, path.string() + ": cannot be read: " + std::strerror(errno));
}

Unexpected unwritable(const fs::path& path) {
  return fail(ErrorCode::kFailedPrecondition, path.string() + ": cannot be written: " + std::strerror(errno));
}

Unexpected cut_short(const fs::path& path) {
  return fail(ErrorCode::kFailedPrecondition,
              path.string() + ": cannot be read again; another program changed the file, or the disk failed");
}

fs::path beside(const fs::path& path, const char* suffix) { return path.string() + suffix; }

std::size_t key_of(const std::string& path, const FileStamp& stamp) {
  return std::hash<std::string>()(path + '\0' + std::to_string(stamp.bytes) + ' ' +
                                  std::to_string(stamp.modified_ns));
}

struct Recorded {
  std::string path;
  FileStamp stamp;
  std::uint64_t row_bytes = 0;
};

std::string to_line(const Recorded& row) {
  JsonWriter json;
  json.begin_object().key("path").value(row.path).key("bytes").value(row.stamp.bytes);
  json.key("modified_ns").value(row.stamp.modified_ns);
  json.key("row_bytes").value(row.row_bytes).end_object();
  return std::move(json).text() + '\n';
}

std::optional<Recorded> from_line(simdjson::dom::parser& parser, const std::string& line) {
  simdjson::dom::element row;
  std::string_view path;
  Recorded out;
  if (parser.parse(line).get(row) != simdjson::SUCCESS || row["path"].get(path) != simdjson::SUCCESS ||
      row["bytes"].get(out.stamp.bytes) != simdjson::SUCCESS ||
      row["modified_ns"].get(out.stamp.modified_ns) != simdjson::SUCCESS ||
      row["row_bytes"].get(out.row_bytes) != simdjson::SUCCESS)
    return std::nullopt;
  out.path = path;
  return out;
}

/// Flushes a file to the disk, so that a later rename never exposes an empty file.
bool synced(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  return done;
}

/// Returns `bytes` from `at` on, or fewer at the end of the file.
std::string read_at(std::istream& in, std::uintmax_t at, std::uintmax_t bytes) {
  std::string out(bytes, '\0');
  in.clear();
  in.seekg(static_cast<std::streamoff>(at));
  in.read(out.data(), static_cast<std::streamsize>(bytes));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

bool write_at(std::fstream& out, std::uintmax_t at, const std::string& text) {
  out.clear();
  return static_cast<bool>(out.seekp(static_cast<std::streamoff>(at))
                               .write(text.data(), static_cast<std::streamsize>(text.size()))
                               .flush());
}

/// Follows symbolic links to the output, even if the target does not exist yet, so that the link is kept.
Result<fs::path> follow_links(const fs::path& named) {
  fs::path path = named;
  std::error_code error;
  for (int links = 0; fs::is_symlink(path, error); ++links) {
    const fs::path target = fs::read_symlink(path, error);
    if (error || links == kMaxLinks) {
      return fail(ErrorCode::kFailedPrecondition,
                  named.string() + ": " + (error ? error.message() : "too many symbolic links"));
    }
    path = path.parent_path() / target;  // `target` alone if it is absolute
  }
  return path;
}

}  // namespace

VectorFile::VectorFile(fs::path path, std::unique_ptr<RowFormat> format, std::string made_with, FileLock lock)
    : path_(std::move(path)),
      state_path_(beside(path_, ".state")),
      paths_path_(beside(path_, ".paths")),
      format_(std::move(format)),
      made_with_(std::move(made_with)),
      lock_(std::move(lock)) {}

Result<std::unique_ptr<VectorFile>> VectorFile::open(const fs::path& named, std::size_t dim,
                                                     const std::string& made_with, ExistingOutput existing) {
  auto format = RowFormat::of(named, dim);
  if (!format) return Unexpected(format.error());
  auto target = follow_links(named);
  if (!target) return Unexpected(target.error());
  const fs::path path = *std::move(target);
  std::error_code error;
  const fs::path state = beside(path, ".state");
  const auto allowed = [&]() -> Result<void> {
    if (!fs::exists(path, error)) return {};
    if (existing == ExistingOutput::kRefuse) {
      return fail(ErrorCode::kFailedPrecondition,
                  path.string() + ": exists; --resume continues it, --force replaces the output");
    }
    if (existing == ExistingOutput::kResume && !fs::exists(state, error)) {
      return fail(ErrorCode::kFailedPrecondition,
                  path.string() + ": has no " + state.filename().string() +
                      ", so the model and files of its rows are unknown; --force replaces the output");
    }
    return {};
  };
  if (auto asked = allowed(); !asked) return Unexpected(asked.error());
  auto lock = FileLock::acquire(beside(path, ".lock"));
  if (!lock) return Unexpected(lock.error());
  if (auto asked = allowed(); !asked)
    return Unexpected(asked.error());  // the output may have appeared since the first check
  std::unique_ptr<VectorFile> file(new VectorFile(path, *std::move(format), made_with, *std::move(lock)));
  const bool resuming = existing == ExistingOutput::kResume && fs::exists(path, error);
  if (auto begun = resuming ? file->resume() : file->start(); !begun) return Unexpected(begun.error());
  return file;
}

/// Removes old rows first, so that after a kill, no old row can be mistaken for a new one.
Result<void> VectorFile::start() {
  forget_arranging();
  for (const fs::path& old : files()) {
    if (old != state_path_ && ::unlink(old.c_str()) != 0 && errno != ENOENT) return unwritable(old);
  }
  if (!(std::ofstream(state_path_, std::ios::binary | std::ios::trunc) << made_with_ << '\n').flush())
    return unwritable(state_path_);
  state_end_ = made_with_.size() + 1;
  if (!(std::ofstream(path_, std::ios::binary | std::ios::trunc) << format_->header(0)).flush())
    return unwritable(path_);
  end_ = format_->header(0).size();
  if (format_->is_bare() && !std::ofstream(paths_path_, std::ios::binary | std::ios::trunc))
    return unwritable(paths_path_);
  return open_files();
}

Result<void> VectorFile::resume() {
  if (fs::exists(beside(state_path_, ".next"))) {
    if (auto finished = finish_arranging(); !finished) return finished;
  }
  forget_arranging();
  std::ifstream state(state_path_, std::ios::binary);
  if (!state) return unreadable(state_path_);
  std::string header;
  if (!std::getline(state, header) || state.eof()) header.clear();
  if (header.empty()) {
    std::error_code error;
    if (fs::file_size(path_, error) <= format_->header(0).size() && !error) return start();
  }
  if (auto same = check_state_header(header); !same) return same;
  state_end_ = header.size() + 1;
  if (auto read = read_rows(state); !read) return read;
  state.close();
  if (rows_ == 0) return start();
  resumed_ = true;
  std::error_code error;
  fs::resize_file(path_, end_, error);
  if (!error) fs::resize_file(state_path_, state_end_, error);
  if (!error && format_->is_bare()) fs::resize_file(paths_path_, paths_end_, error);
  if (error)
    return fail(ErrorCode::kFailedPrecondition, path_.string() + ": cannot be written: " + error.message());
  if (auto opened = open_files(); !opened) return opened;
  if (format_->is_bare() && !write_at(file_, 0, format_->header(rows_))) return unwritable(path_);
  return {};
}

Result<void> VectorFile::check_state_header(const std::string& line) const {
  simdjson::dom::parser parser;
  simdjson::dom::parser parser_of_now;
  simdjson::dom::object then;
  simdjson::dom::object now;
  if (parser.parse(line).get(then) != simdjson::SUCCESS) {
    return fail(
        ErrorCode::kFailedPrecondition,
        state_path_.string() + ": does not record which model made the rows; --force replaces the output");
  }
  if (parser_of_now.parse(made_with_).get(now) != simdjson::SUCCESS)
    return fail(ErrorCode::kInternal, "made_with: not a JSON object");
  std::string differences;
  for (const auto [key, value] : now) {
    simdjson::dom::element was;
    const bool known = then[key].get(was) == simdjson::SUCCESS;
    const std::string is_text = simdjson::minify(value);
    const std::string was_text = known ? std::string(simdjson::minify(was)) : "unknown";
    if (is_text == was_text) continue;
    if (!differences.empty()) differences += "; ";
    differences += std::string(key) + " was " + was_text + ", is " + is_text;
  }
  if (differences.empty()) return {};
  return fail(ErrorCode::kInvalidArgument, path_.string() +
                                               ": the rows were made differently: " + differences +
                                               "; choose another --out, or replace the output with --force");
}

/// Reads the complete rows and ignores an incomplete end.
Result<void> VectorFile::read_rows(std::ifstream& state) {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return unreadable(path_);
  std::ifstream paths;
  if (format_->is_bare()) paths.open(paths_path_, std::ios::binary);
  simdjson::dom::parser parser;
  end_ = format_->header(0).size();
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path_, error);
  for (std::string line; std::getline(state, line) && !state.eof();) {
    const auto recorded = from_line(parser, line);
    if (!recorded) {
      // Only the last lines can be incomplete: a valid record after this line means that the file was
      // edited.
      while (std::getline(state, line)) {
        if (!from_line(parser, line)) continue;
        return fail(ErrorCode::kFailedPrecondition,
                    state_path_.string() + ": line " + std::to_string(rows_ + 2) +
                        " was not written by infer embed; restore the file, choose another --out, or replace "
                        "the output with --force");
      }
      break;
    }
    if (format_->is_bare() && !paths.is_open()) {
      return fail(ErrorCode::kFailedPrecondition,
                  paths_path_.string() +
                      ": is missing, so the paths of the rows are unknown; --force replaces the output");
    }
    if (error || end_ > size || recorded->row_bytes > size - end_) break;
    const std::string row = read_at(file, end_, recorded->row_bytes);
    std::string path;
    if (format_->is_bare() && (!std::getline(paths, path) || paths.eof())) break;
    if (!format_->is_row_of(recorded->path, row) ||
        (format_->is_bare() && path != json_text(recorded->path))) {
      return fail(ErrorCode::kFailedPrecondition,
                  path_.string() + ": row " + std::to_string(rows_ + 1) +
                      " is not the row that infer embed wrote for " + recorded->path +
                      "; choose another --out, or replace the output with --force");
    }
    places_.push_back(
        {key_of(recorded->path, recorded->stamp), end_, row.size(), state_end_, line.size() + 1});
    row_of_key_.emplace(places_.back().key, rows_++);
    end_ += row.size();
    state_end_ += line.size() + 1;
    if (format_->is_bare()) paths_end_ += path.size() + 1;
  }
  return {};
}

Result<void> VectorFile::open_files() {
  const auto mode = std::ios::binary | std::ios::in | std::ios::out;
  file_.open(path_, mode);
  if (!file_) return unwritable(path_);
  state_.open(state_path_, mode);
  if (!state_) return unwritable(state_path_);
  if (format_->is_bare()) paths_.open(paths_path_, mode);
  if (format_->is_bare() && !paths_) return unwritable(paths_path_);
  return {};
}

/// The row counts only once its line in FILE.state is written, which happens last.
Result<void> VectorFile::append(const std::string& path, const FileStamp& stamp,
                                std::span<const float> vector) {
  const std::string row = format_->row(path, vector);
  if (!write_at(file_, end_, row)) return unwritable(path_);
  if (format_->is_bare()) {
    const std::string line = json_text(path) + '\n';
    if (!write_at(paths_, paths_end_, line)) return unwritable(paths_path_);
    paths_end_ += line.size();
    if (!write_at(file_, 0, format_->header(rows_ + 1))) return unwritable(path_);
  }
  const std::string line = to_line({path, stamp, row.size()});
  if (!write_at(state_, state_end_, line)) return unwritable(state_path_);
  if (resumed_) places_.push_back({key_of(path, stamp), end_, row.size(), state_end_, line.size()});
  end_ += row.size();
  state_end_ += line.size();
  ++rows_;
  return {};
}

std::optional<std::size_t> VectorFile::find(const std::string& path, const FileStamp& stamp) const {
  const auto found = row_of_key_.find(key_of(path, stamp));
  return found == row_of_key_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::string> VectorFile::state_line(std::size_t row) {
  std::string line = read_at(state_, places_[row].state_at, places_[row].state_bytes);
  if (line.size() < places_[row].state_bytes) return cut_short(state_path_);
  return line;
}

Result<std::string> VectorFile::path_of(std::size_t row) {
  simdjson::dom::parser parser;
  const auto line = state_line(row);
  if (!line) return Unexpected(line.error());
  auto recorded = from_line(parser, *line);
  if (!recorded) return cut_short(state_path_);
  return std::move(recorded->path);
}

/// Writes all files under temporary names first. Renaming the last one to FILE.state.next commits the
/// change: before, nothing has changed; afterwards, the next run finishes what this run could not.
Result<void> VectorFile::arrange(const std::vector<std::size_t>& order) {
  auto arranged = write_arranged(order);
  if (!arranged) {
    ::unlink(beside(state_path_, ".tmp").c_str());
    forget_arranging();
    return Unexpected(arranged.error());
  }
  for (std::fstream* open : {&file_, &state_, &paths_}) open->close();
  if (auto finished = finish_arranging(); !finished) return finished;
  places_ = std::move(arranged->places);
  row_of_key_.clear();
  for (std::size_t row = 0; row < places_.size(); ++row) row_of_key_.emplace(places_[row].key, row);
  rows_ = places_.size();
  end_ = arranged->end;
  state_end_ = arranged->state_end;
  paths_end_ = arranged->paths_end;
  return open_files();
}

Result<VectorFile::Arranged> VectorFile::write_arranged(const std::vector<std::size_t>& order) {
  const fs::path next = beside(path_, ".next");
  const fs::path next_paths = beside(paths_path_, ".next");
  const fs::path next_state = beside(state_path_, ".tmp");
  std::ofstream file(next, std::ios::binary | std::ios::trunc);
  if (!(file << format_->header(order.size()))) return unwritable(next);
  std::ofstream state(next_state, std::ios::binary | std::ios::trunc);
  if (!(state << made_with_ << '\n')) return unwritable(next_state);
  std::ofstream paths;
  if (format_->is_bare()) {
    paths.open(next_paths, std::ios::binary | std::ios::trunc);
    if (!paths) return unwritable(next_paths);
  }
  Arranged out;
  out.places.reserve(order.size());
  out.end = format_->header(0).size();
  out.state_end = made_with_.size() + 1;
  for (const std::size_t index : order) {
    const Place& place = places_[index];
    const std::string row = read_at(file_, place.at, place.bytes);
    if (row.size() < place.bytes) return cut_short(path_);
    const auto line = state_line(index);
    if (!line) return Unexpected(line.error());
    if (!(file << row)) return unwritable(next);
    if (!(state << *line)) return unwritable(next_state);
    if (format_->is_bare()) {
      const auto path = path_of(index);
      if (!path) return Unexpected(path.error());
      const std::string path_line = json_text(*path) + '\n';
      if (!(paths << path_line)) return unwritable(next_paths);
      out.paths_end += path_line.size();
    }
    out.places.push_back({place.key, out.end, place.bytes, out.state_end, place.state_bytes});
    out.end += place.bytes;
    out.state_end += place.state_bytes;
  }
  if (!file.flush() || !synced(next)) return unwritable(next);
  if (format_->is_bare() && (!paths.flush() || !synced(next_paths))) return unwritable(next_paths);
  if (!state.flush() || !synced(next_state)) return unwritable(next_state);
  if (std::rename(next_state.c_str(), beside(state_path_, ".next").c_str()) != 0)
    return unwritable(next_state);
  return out;
}

/// Can resume an interrupted run: files without a temporary name have been renamed already.
Result<void> VectorFile::finish_arranging() const {
  for (const fs::path& path : files()) {
    if (std::rename(beside(path, ".next").c_str(), path.c_str()) != 0 && errno != ENOENT)
      return unwritable(path);
  }
  return {};
}

/// Removes FILE.state.next first, because its existence means that the other files are complete.
void VectorFile::forget_arranging() const {
  const auto all = files();
  for (auto path = all.rbegin(); path != all.rend(); ++path) ::unlink(beside(*path, ".next").c_str());
}

std::vector<fs::path> VectorFile::files() const {
  if (!format_->is_bare()) return {path_, state_path_};
  return {path_, paths_path_, state_path_};
}

}  // namespace infer::inline v0::tools
