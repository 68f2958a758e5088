#include "tools/folder/row_format.h"

#include <charconv>
#include <utility>

#include "engine/json_writer.h"

namespace infer::inline v0::tools {
namespace {

class JsonLines final : public RowFormat {
 public:
  std::string header(std::size_t) const override { return {}; }
  std::string row(const std::string& path, std::span<const float> vector) const override {
    JsonWriter json;
    json.begin_object().key("path").value(path).key("embedding").values(vector).end_object();
    return std::move(json).text() + '\n';
  }
  bool is_row_of(const std::string& path, const std::string& row) const override {
    JsonWriter json;
    json.begin_object().key("path").value(path).key("embedding").begin_array();
    return row.starts_with(json.text()) && row.ends_with("]}\n");
  }
};

class Csv final : public RowFormat {
 public:
  explicit Csv(std::size_t dim) : dim_(dim) {}

  std::string header(std::size_t) const override {
    std::string out = "path";
    for (std::size_t i = 0; i < dim_; ++i) out += ",e" + std::to_string(i);
    return out + '\n';
  }
  std::string row(const std::string& path, std::span<const float> vector) const override {
    std::string out = field(path);
    for (const float number : vector) {
      char buffer[32];
      out += ',';
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
    }
    return out + '\n';
  }
  bool is_row_of(const std::string& path, const std::string& row) const override {
    return row.starts_with(field(path) + ',') && row.ends_with('\n');
  }

 private:
  /// RFC 4180: quotes a field only if necessary, and doubles its quotes.
  static std::string field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    return out + '"';
  }

  std::size_t dim_;
};

class Npy final : public RowFormat {
 public:
  explicit Npy(std::size_t dim) : dim_(dim) {}

  /// NumPy's format 1.0: magic, version, length of the header, and a Python dict padded with blanks to a
  /// newline.
  std::string header(std::size_t rows) const override {
    std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                       std::to_string(dim_) + "), }";
    dict.resize(kHeader - 10 - 1, ' ');
    dict += '\n';
    std::string out("\x93NUMPY\x01\x00", 8);
    out += static_cast<char>(dict.size() & 255);
    out += static_cast<char>(dict.size() >> 8);
    return out + dict;
  }
  std::string row(const std::string&, std::span<const float> vector) const override {
    return {reinterpret_cast<const char*>(vector.data()), vector.size_bytes()};
  }
  bool is_row_of(const std::string&, const std::string& row) const override {
    return row.size() == dim_ * sizeof(float);
  }
  bool is_bare() const override { return true; }

 private:
  static constexpr std::size_t kHeader = 128;  // the format requires a multiple of 64

  std::size_t dim_;
};

}  // namespace

std::string json_text(const std::string& text) {
  JsonWriter json;
  json.value(text);
  return std::move(json).text();
}

Result<std::unique_ptr<RowFormat>> RowFormat::of(const std::filesystem::path& path, std::size_t dim) {
  const std::string extension = path.extension().string();
  if (extension == ".jsonl") return std::unique_ptr<RowFormat>(std::make_unique<JsonLines>());
  if (extension == ".csv") return std::unique_ptr<RowFormat>(std::make_unique<Csv>(dim));
  if (extension == ".npy") return std::unique_ptr<RowFormat>(std::make_unique<Npy>(dim));
  return fail(ErrorCode::kInvalidArgument, path.string() + ": the extension is not .npy, .jsonl or .csv");
}

}  // namespace infer::inline v0::tools
