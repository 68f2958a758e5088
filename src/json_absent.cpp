// What the public headers promise of infer.json, in a build without simdjson.
#include "engine/digest.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {

Result<Manifest> parse_manifest(std::string_view /*json*/) {
  return fail(ErrorCode::kUnimplemented, "this build reads no infer.json");
}

Result<void> check_digests(const Manifest& /*manifest*/, const std::filesystem::path& /*directory*/) {
  return {};
}

}  // namespace infer::inline v0
