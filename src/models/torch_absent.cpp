// What making models needs of LibTorch, in a build without it.
#include "architectures.h"
#include "infer/models/clip_vit.h"
#include "quantize_module.h"
#include "training.h"

namespace infer::inline v0 {
namespace {

Unexpected absent() { return fail(ErrorCode::kUnimplemented, "this build has no LibTorch"); }

}  // namespace

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
