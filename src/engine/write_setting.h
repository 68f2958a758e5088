#pragma once

#include "infer/engine/settings.h"
#include "json_writer.h"

namespace infer::inline v0 {

/// Writes the key and the value of a setting that `settings` says, as infer.json and tuned files have it.
void write_setting(JsonWriter& json, const Setting& setting, const PartialSettings& settings);

}  // namespace infer::inline v0
