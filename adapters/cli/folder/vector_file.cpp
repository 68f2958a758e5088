#include "vector_file.h"

#include <simdjson.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include "json_writer.h"

namespace infer::cli {
namespace {

namespace fs = std::filesystem;

Unexpected unwritable(const fs::path& path) {
  return fail(ErrorCode::kFailedPrecondition, path.string() + ": cannot be written: " + std::strerror(errno));
}

Unexpected unreadable(const fs::path& path) {
  return fail(ErrorCode::kFailedPrecondition, path.string() + ": cannot be read: " + std::strerror(errno));
}

std::string json_text(const std::string& text) {
  adapter::JsonWriter json;
  json.value(text);
  return std::move(json).text();
}

void append_number(std::string& out, float number) {
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

/// RFC 4180: quoted where it must be, quotes doubled.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// Rows of text. The end of the last complete row is found by reading what is there once.
class TextFile : public VectorFile {
 public:
  Result<void> append(const std::string& path, std::span<const float> vector) override {
    const std::string text = row(path, vector);
    if (!file_.write(text.data(), static_cast<std::streamsize>(text.size())).flush())
      return unwritable(path_);
    ++rows_;
    return {};
  }

 protected:
  /// Reads `path` row by row with `take`, which says whether a row is complete; cuts off what follows the
  /// last.
  Result<void> resume(const fs::path& path, const std::function<Result<bool>(const std::string&)>& take) {
    path_ = path;
    std::ifstream in(path, std::ios::binary);
    // It is cut off behind what was read: what cannot be read now must not be taken for empty.
    if (!in && errno != ENOENT) return unreadable(path);
    std::uintmax_t good = 0;
    for (std::string line; std::getline(in, line);) {
      if (in.eof()) break;  // no newline: cut off while it was written
      auto complete = take(line);
      if (!complete) return fail(complete.error().code, path.string() + ": " + complete.error().message);
      if (!*complete) continue;
      good = static_cast<std::uintmax_t>(in.tellg());
    }
    in.close();
    std::error_code error;
    if (fs::exists(path, error)) fs::resize_file(path, good, error);
    return start(path, std::ios::app);
  }

  Result<void> start(const fs::path& path, std::ios::openmode mode) {
    path_ = path;
    file_.open(path, std::ios::binary | std::ios::out | mode);
    if (!file_) return unwritable(path);
    return {};
  }

  virtual std::string row(const std::string& path, std::span<const float> vector) = 0;

  fs::path path_;
  std::ofstream file_;
};

class JsonLines final : public TextFile {
 public:
  Result<void> begin(const fs::path& path, std::size_t dim, bool resuming) {
    if (!resuming) return start(path, std::ios::trunc);
    simdjson::dom::parser parser;
    return resume(path, [&](const std::string& line) -> Result<bool> {
      simdjson::dom::element row;
      std::string_view file;
      simdjson::dom::array numbers;
      if (parser.parse(line).get(row) != simdjson::SUCCESS || row["path"].get(file) != simdjson::SUCCESS ||
          row["embedding"].get(numbers) != simdjson::SUCCESS) {
        return fail(ErrorCode::kInvalidArgument,
                    "row " + std::to_string(rows_ + 1) + " is not one of infer embed's");
      }
      if (numbers.size() != dim) {
        return fail(ErrorCode::kInvalidArgument, "has vectors of " + std::to_string(numbers.size()) +
                                                     " numbers, the model gives " + std::to_string(dim));
      }
      remember(std::string(file));
      ++rows_;
      return true;
    });
  }

 private:
  std::string row(const std::string& path, std::span<const float> vector) override {
    adapter::JsonWriter json;
    json.begin_object().key("path").value(path).key("embedding").values(vector).end_object();
    return std::move(json).text() + '\n';
  }
};

class Csv final : public TextFile {
 public:
  Result<void> begin(const fs::path& path, std::size_t dim, bool resuming) {
    std::string header = "path";
    for (std::size_t i = 0; i < dim; ++i) header += ",e" + std::to_string(i);
    if (resuming) {
      bool first = true;
      std::string record;
      auto resumed = this->resume(path, [&](const std::string& line) -> Result<bool> {
        if (std::exchange(first, false)) {
          if (line == header) return true;
          return fail(ErrorCode::kInvalidArgument, "does not start with the header of " +
                                                       std::to_string(dim) + " numbers that the model gives");
        }
        record += line;  // a quoted path may hold line breaks
        auto file = field(record);
        if (!file) {
          record += '\n';
          return false;
        }
        remember(*file);
        record.clear();
        ++rows_;
        return true;
      });
      if (!resumed || !first) return resumed;
    } else if (auto started = start(path, std::ios::trunc); !started) {
      return started;
    }
    if (!(file_ << header << '\n').flush()) return unwritable(path);
    return {};
  }

 private:
  /// The first field of a record; none while its quotes are open.
  static std::optional<std::string> field(const std::string& record) {
    if (record.empty() || record[0] != '"') return record.substr(0, record.find(','));
    std::string out;
    for (std::size_t i = 1; i < record.size(); ++i) {
      if (record[i] != '"') {
        out += record[i];
      } else if (i + 1 < record.size() && record[i + 1] == '"') {
        out += record[++i];
      } else {
        return out;
      }
    }
    return std::nullopt;
  }

  std::string row(const std::string& path, std::span<const float> vector) override {
    std::string out = csv_field(path);
    for (const float number : vector) {
      out += ',';
      append_number(out, number);
    }
    return out + '\n';
  }
};

class Npy final : public VectorFile {
 public:
  Result<void> begin(const fs::path& path, std::size_t dim, bool resuming) {
    path_ = path;
    paths_name_ = path.string() + ".paths";
    dim_ = dim;
    if (resuming && fs::exists(path)) {
      if (auto counted = count_rows(); !counted) return counted;
    }
    const auto mode = std::ios::binary | std::ios::in | std::ios::out;
    if (rows_ == 0) {
      file_.open(path, mode | std::ios::trunc);
      paths_.open(paths_name_, std::ios::binary | std::ios::trunc);
    } else {
      file_.open(path, mode);
      paths_.open(paths_name_, std::ios::binary | std::ios::app);
    }
    if (!file_) return unwritable(path);
    if (!paths_) return unwritable(paths_name_);
    return write_header();
  }

  /// Row, then path, then the count in the header: whatever is cut off, what the header counts is there.
  Result<void> append(const std::string& path, std::span<const float> vector) override {
    file_.seekp(static_cast<std::streamoff>(kHeader + rows_ * dim_ * sizeof(float)));
    file_.write(reinterpret_cast<const char*>(vector.data()),
                static_cast<std::streamsize>(vector.size_bytes()));
    if (!file_.flush()) return unwritable(path_);
    if (!(paths_ << json_text(path) << '\n').flush()) return unwritable(paths_name_);
    ++rows_;
    return write_header();
  }

 private:
  static constexpr std::size_t kHeader = 128;  // a multiple of 64, as the format asks

  /// NumPy's format 1.0: magic, version, length of the header, a Python dict padded with blanks to a newline.
  Result<void> write_header() {
    std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows_) + ", " +
                       std::to_string(dim_) + "), }";
    dict.resize(kHeader - 10 - 1, ' ');
    dict += '\n';
    std::string header("\x93NUMPY\x01\x00", 8);
    header += static_cast<char>(dict.size() & 255);
    header += static_cast<char>(dict.size() >> 8);
    header += dict;
    file_.seekp(0);
    if (!file_.write(header.data(), static_cast<std::streamsize>(header.size())).flush())
      return unwritable(path_);
    return {};
  }

  Result<void> count_rows() {
    std::ifstream in(path_, std::ios::binary);
    if (!in) return unreadable(path_);
    std::string header(kHeader, '\0');
    in.read(header.data(), static_cast<std::streamsize>(kHeader));
    const std::string marker = "'shape': (";
    const std::size_t at = header.find(marker);
    std::size_t rows = 0;
    std::size_t dim = 0;
    const char* end = header.data() + header.size();
    if (in && header.starts_with("\x93NUMPY") && at != std::string::npos) {
      const auto [stop, error] = std::from_chars(header.data() + at + marker.size(), end, rows);
      if (error == std::errc() && stop + 2 < end) std::from_chars(stop + 2, end, dim);
    }
    if (dim != dim_) {
      return fail(ErrorCode::kInvalidArgument,
                  path_.string() + ": is no array of " + std::to_string(dim_) + " numbers a row");
    }
    std::ifstream names(paths_name_, std::ios::binary);
    if (!names && errno != ENOENT) return unreadable(paths_name_);
    if (rows > 0 && !names) {
      return fail(ErrorCode::kFailedPrecondition,
                  paths_name_ + ": is missing, without it nobody knows which rows are there");
    }
    std::uintmax_t length = 0;
    simdjson::dom::parser parser;
    std::string line;
    while (rows_ < rows && std::getline(names, line) && !names.eof()) {
      simdjson::dom::element name;
      std::string_view text;
      if (parser.parse(line).get(name) != simdjson::SUCCESS || name.get(text) != simdjson::SUCCESS) break;
      remember(std::string(text));
      length = static_cast<std::uintmax_t>(names.tellg());
      ++rows_;
    }
    names.close();
    std::error_code error;
    fs::resize_file(paths_name_, length, error);
    if (rows_ > 0) fs::resize_file(path_, kHeader + rows_ * dim_ * sizeof(float), error);
    return {};
  }

  fs::path path_;
  std::string paths_name_;
  std::size_t dim_ = 0;
  std::fstream file_;
  std::ofstream paths_;
};

template <class File>
Result<std::unique_ptr<VectorFile>> begin(const fs::path& path, std::size_t dim, bool resuming) {
  auto file = std::make_unique<File>();
  if (auto begun = file->begin(path, dim, resuming); !begun) return Unexpected(begun.error());
  return std::unique_ptr<VectorFile>(std::move(file));
}

}  // namespace

Result<std::unique_ptr<VectorFile>> VectorFile::open(const fs::path& path, std::size_t dim,
                                                     Existing existing) {
  std::error_code error;
  if (existing == Existing::kRefuse && fs::exists(path, error)) {
    return fail(ErrorCode::kFailedPrecondition,
                path.string() + ": exists; --resume continues it, --force replaces it");
  }
  const bool resuming = existing == Existing::kResume;
  const std::string extension = path.extension().string();
  if (extension == ".jsonl") return begin<JsonLines>(path, dim, resuming);
  if (extension == ".csv") return begin<Csv>(path, dim, resuming);
  if (extension == ".npy") return begin<Npy>(path, dim, resuming);
  return fail(ErrorCode::kInvalidArgument,
              path.string() + ": the extension is none of .npy, .jsonl and .csv");
}

}  // namespace infer::cli
