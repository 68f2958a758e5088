// What the public headers promise of LibTorch, in a build without it.
#include "infer/engine/inspect.h"
#include "infer/engine/machine_limit.h"
#include "infer/engine/torchscript.h"
#include "infer/models/clip_vit.h"
#include "models/architectures.h"
#include "models/quantize_module.h"
#include "models/training.h"

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

Result<void> create_clip_vit(const ClipVitConfig& /*config*/, std::uint64_t /*seed*/,
                             const std::filesystem::path& /*directory*/) {
  return absent();
}

Result<void> build_clip_vit(const ClipVitConfig& /*config*/, Checkpoint& /*checkpoint*/,
                            const std::filesystem::path& /*file*/) {
  return absent();
}

Result<RecurrentFit> train_recurrent(bool /*lstm*/, std::uint64_t /*seed*/, const Windows& /*training*/,
                                     const Windows& /*validation*/, const EpochHook& /*hook*/,
                                     const std::filesystem::path& /*file*/) {
  return absent();
}

Result<void> refit_recurrent(bool /*lstm*/, std::uint64_t /*seed*/, const Windows& /*training*/,
                             const RecurrentFit& /*fit*/, const std::filesystem::path& /*file*/) {
  return absent();
}

Result<void> quantize_module(const std::filesystem::path& /*from*/, const std::filesystem::path& /*to*/,
                             const std::string& /*precision*/, QuantizeReport& /*report*/) {
  return absent();
}

Result<void> build_text_head(const std::filesystem::path& /*base*/, const std::vector<float>& /*weight*/,
                             const std::vector<float>& /*bias*/, const std::filesystem::path& /*file*/) {
  return absent();
}

Result<void> build_bert(const BertConfig& /*config*/, Checkpoint& /*checkpoint*/,
                        const std::filesystem::path& /*file*/) {
  return absent();
}

}  // namespace infer::inline v0
