#include <array>

#include "../engine/torch_backend.h"
#include "infer/engine/backend.h"
#if INFER_WITH_JSON
#include "scripted.h"
#include "series.h"
#endif

namespace infer::inline v0 {

std::span<const BackendEntry> backends() noexcept {
  static constexpr std::array kBackends {
#if INFER_WITH_TORCH
    BackendEntry{"torchscript", "pytorch_torchscript", libtorch::load_file},
#endif
#if INFER_WITH_JSON
        BackendEntry{"scripted", "scripted", load_scripted}, BackendEntry{"series", "series", load_series},
#endif
  };
  return kBackends;
}

}  // namespace infer::inline v0
