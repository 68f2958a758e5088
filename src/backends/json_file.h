#pragma once

#include <simdjson.h>

#include <cerrno>
#include <filesystem>

#include "../engine/read_file.h"

namespace infer::inline v0 {

/// The JSON object in the file of a model; it lives as long as the parser. Errors: those of `unreadable`;
/// `kModelError`, naming the file.
inline Result<simdjson::dom::object> load_object(simdjson::dom::parser& parser,
                                                 const std::filesystem::path& file) {
  simdjson::dom::object fields;
  const auto error = parser.load(file.string()).get(fields);
  if (error == simdjson::SUCCESS) return fields;
  if (error == simdjson::IO_ERROR) return Unexpected(unreadable(file, errno));
  return fail(ErrorCode::kModelError, file.string() + ": " + simdjson::error_message(error));
}

}  // namespace infer::inline v0
