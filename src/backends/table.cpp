#include <algorithm>
#include <string>
#include <utility>

#include "../engine/torch_backend.h"
#include "../engine/valid_name.h"
#include "../engine/with_torch.h"
#include "infer/engine/backends.h"
#if INFER_WITH_JSON
#include "scripted.h"
#include "series.h"
#endif

namespace infer::inline v0 {

// Listed here, since linkers drop self-registering objects of a static library.
Backends::Backends() {
  if constexpr (kWithTorch) entries_.push_back({"torchscript", "pytorch_torchscript", libtorch::load_file});
#if INFER_WITH_JSON
  entries_.push_back({"scripted", "scripted", load_scripted});
  entries_.push_back({"series", "series", load_series});
#endif
}

Result<void> Backends::add(BackendEntry entry) {
  if (!valid_name(entry.name)) {
    return fail(ErrorCode::kInvalidArgument,
                "backend name '" + entry.name + "' does not match [A-Za-z0-9._-]{1,64}");
  }
  if (!entry.load)
    return fail(ErrorCode::kInvalidArgument, "backend '" + entry.name + "' has no function to load models");
  if (find(entry.name) != nullptr)
    return fail(ErrorCode::kFailedPrecondition, "backend '" + entry.name + "' is in the table already");
  if (entry.platform.empty()) entry.platform = entry.name;
  entries_.push_back(std::move(entry));
  return {};
}

const BackendEntry* Backends::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(entries_, name, &BackendEntry::name);
  return found == entries_.end() ? nullptr : &*found;
}

}  // namespace infer::inline v0
