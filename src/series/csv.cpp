#include "csv.h"

#include <algorithm>
#include <cstddef>

#include "../engine/read_file.h"

namespace infer::inline v0 {
namespace {

/// Several columns may have no name, such as row numbers that a program wrote, or an empty column after a
/// comma at the end.
Result<void> check_names(const std::vector<std::string>& header) {
  for (auto name = header.begin(); name != header.end(); ++name) {
    const auto again = std::find(name + 1, header.end(), *name);
    if (name->empty() || again == header.end()) continue;
    return fail(ErrorCode::kInvalidArgument, "line 1: '" + name->substr(0, 40) + "' names both column " +
                                                 std::to_string(name - header.begin() + 1) + " and column " +
                                                 std::to_string(again - header.begin() + 1) +
                                                 "; give one of them another name");
  }
  return {};
}

}  // namespace

Result<Csv> parse_csv(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return fail(ErrorCode::kInvalidArgument, "is UTF-16; save it as UTF-8");
  Csv csv;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false;
  bool any = false;  // whether the row has any character
  std::size_t line = 1;
  const auto end_row = [&]() -> Result<void> {
    if (!any) return {};
    row.push_back(std::move(field));
    field.clear();
    any = false;
    if (csv.header.empty()) {
      csv.header = std::move(row);
      if (auto checked = check_names(csv.header); !checked) return checked;
    } else if (row.size() != csv.header.size()) {
      return fail(ErrorCode::kInvalidArgument, "line " + std::to_string(line) + ": has " +
                                                   std::to_string(row.size()) + " fields, the header has " +
                                                   std::to_string(csv.header.size()));
    } else {
      csv.rows.push_back(std::move(row));
    }
    row.clear();
    return {};
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else if (c == '"') {
        quoted = false;
      } else {
        field += c;
      }
    } else if (c == '"' && field.empty()) {  // a quote within a field is literal, such as inches
      quoted = true;
      any = true;
    } else if (c == ',') {
      row.push_back(std::move(field));
      field.clear();
      any = true;
    } else if (c == '\n' || (c == '\r' && !text.substr(i + 1).starts_with('\n'))) {
      if (auto ended = end_row(); !ended) return Unexpected(ended.error());
    } else if (c != '\r') {
      field += c;
      any = true;
    }
    if (c == '\n') ++line;
  }
  if (quoted) return fail(ErrorCode::kInvalidArgument, "a quote is not closed");
  if (auto ended = end_row(); !ended) return Unexpected(ended.error());
  if (csv.header.empty()) return fail(ErrorCode::kInvalidArgument, "is empty, expected a header line");
  return csv;
}

Result<Csv> read_csv(const std::filesystem::path& file) {
  auto text = read_file(file, std::size_t{1} << 34);
  if (!text) return Unexpected(text.error());
  auto csv = parse_csv(*text);
  if (!csv) return fail(csv.error().code, file.string() + ": " + csv.error().message);
  return csv;
}

}  // namespace infer::inline v0
