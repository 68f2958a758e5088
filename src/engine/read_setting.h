#pragma once

#include <simdjson.h>

#include <string>

#include "infer/core/result.h"
#include "infer/engine/settings.h"

namespace infer::inline v0 {

/// Reads a value of infer.json or of a tuned file. Errors: `kInvalidArgument`, naming `name`, value and
/// limits.
Result<void> read_setting(const Setting& setting, simdjson::dom::element value, const std::string& name,
                          PartialSettings& settings);

}  // namespace infer::inline v0
