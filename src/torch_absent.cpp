// What the public headers promise of LibTorch, in a build without it.
#include "infer/engine/inspect.h"
#include "infer/engine/machine_limit.h"
#include "infer/engine/torchscript.h"

namespace infer::inline v0 {
namespace {

Unexpected absent() { return fail(ErrorCode::kUnimplemented, "this build has no LibTorch"); }

}  // namespace

Result<std::shared_ptr<const Backend>> load_torchscript(std::span<const std::byte> /*archive*/,
                                                        const Manifest& /*manifest*/,
                                                        const LoadOptions& /*options*/) {
  return absent();
}

Result<ModuleReport> inspect_torchscript(const std::filesystem::path& /*file*/) { return absent(); }

Result<double> count_operations(const Backend& /*backend*/, std::span<const Tensor> /*inputs*/) {
  return absent();
}

Result<double> measure_peak(std::string_view /*precision*/, double /*seconds*/) { return absent(); }

void prepare_torch_process(std::size_t /*intra_op_threads*/) {}

const char* torch_version() noexcept { return "none"; }

}  // namespace infer::inline v0
