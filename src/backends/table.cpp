#include <array>

#include "infer/engine/backend.h"
#include "scripted.h"
#if INFER_WITH_TORCH
#include "../torch/backend/torchscript.h"
#endif

namespace infer {

std::span<const BackendEntry> backends() noexcept {
  static constexpr std::array kBackends {
#if INFER_WITH_TORCH
    BackendEntry{"torchscript", "pytorch_torchscript", load_torchscript},
#endif
        BackendEntry{"scripted", "scripted", load_scripted},
  };
  return kBackends;
}

}  // namespace infer
