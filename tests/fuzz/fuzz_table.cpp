// Parses CSV tables and times.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "infer/series/calendar.h"
#include "series/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto csv = infer::parse_csv(text)) {
    for (const auto& row : csv->rows) {
      if (row.size() != csv->header.size()) std::abort();
      for (const auto& cell : row) {
        if (const auto time = infer::parse_time(cell);
            time && *infer::parse_time(infer::format_time(*time)) > *time)
          std::abort();
      }
    }
  }
  return 0;
}
