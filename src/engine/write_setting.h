#pragma once

#include "infer/engine/settings.h"
#include "json_writer.h"

namespace infer::inline v0 {

/// Writes key and value of a setting in the form of infer.json and tuned files; `settings` must have the
/// value.
void write_setting(JsonWriter& json, const Setting& setting, const PartialSettings& settings);

}  // namespace infer::inline v0
