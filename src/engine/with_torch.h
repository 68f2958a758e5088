#pragma once

#include <type_traits>
#include <utility>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// True in a build with LibTorch.
inline constexpr bool kWithTorch = INFER_WITH_TORCH;

/// Calls `function` of namespace libtorch; a build without LibTorch gives `kUnimplemented` instead.
///
/// src/torch alone defines those functions. A build without LibTorch needs no stand-in for each, because this
/// is the only place that calls them, and the call is not compiled there.
template <auto function, class... Arguments>
auto with_torch(Arguments&&... arguments) -> std::invoke_result_t<decltype(function), Arguments...> {
  if constexpr (kWithTorch) {
    return function(std::forward<Arguments>(arguments)...);
  } else {
    return fail(ErrorCode::kUnimplemented, "this build has no LibTorch");
  }
}

}  // namespace infer::inline v0
