// The functions that read JSON files, for a build without simdjson.
#include "engine/digest.h"
#include "infer/engine/manifest.h"
#include "infer/engine/tuned.h"

namespace infer::inline v0 {

Result<Manifest> parse_manifest(std::string_view /*json*/) {
  return fail(ErrorCode::kUnimplemented, "this build has no JSON parser, so it cannot read infer.json");
}

Result<TunedVersions> read_tuned(const std::filesystem::path& /*file*/) {
  return fail(ErrorCode::kUnimplemented, "this build has no JSON parser, so it cannot read tuned settings");
}

Result<void> check_digests(const Manifest& /*manifest*/, const std::filesystem::path& /*directory*/) {
  return {};
}

}  // namespace infer::inline v0
