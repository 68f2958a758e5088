#include "infer/engine/torchscript.h"

#include "infer/engine/inspect.h"
#include "infer/engine/machine_limit.h"
#include "torch_backend.h"
#include "with_torch.h"

namespace infer::inline v0 {

Result<std::shared_ptr<const Backend>> load_torchscript(std::span<const std::byte> archive,
                                                        const Manifest& manifest,
                                                        const LoadOptions& options) {
  return with_torch<libtorch::load_archive>(archive, manifest, options);
}

Result<ModuleReport> inspect_torchscript(const std::filesystem::path& file) {
  return with_torch<libtorch::inspect>(file);
}

Result<double> count_operations(const Backend& backend, std::span<const Tensor> inputs) {
  return with_torch<libtorch::count_operations>(backend, inputs);
}

Result<double> measure_peak(std::string_view precision, double seconds) {
  return with_torch<libtorch::measure_peak>(precision, seconds);
}

void prepare_torch_process([[maybe_unused]] std::size_t intra_op_threads) {
  if constexpr (kWithTorch) libtorch::prepare_process(intra_op_threads);
}

const char* torch_version() noexcept {
  if constexpr (kWithTorch) return libtorch::version();
  return "none";
}

}  // namespace infer::inline v0
