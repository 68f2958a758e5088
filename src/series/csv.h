#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// A table of text, as in RFC 4180: fields in quotes may hold commas, line ends and doubled quotes.
struct Csv {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< Each as long as the header.
};

/// Errors: `kNotFound`; `kInvalidArgument` (a row of another length, an unclosed quote, a column name that
/// occurs twice), naming the line.
Result<Csv> read_csv(const std::filesystem::path& file);
Result<Csv> parse_csv(std::string_view text);

}  // namespace infer::inline v0
