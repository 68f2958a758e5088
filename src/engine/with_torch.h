#pragma once

#include <type_traits>
#include <utility>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// True in a build with LibTorch.
inline constexpr bool kWithTorch = INFER_WITH_TORCH;

/// Calls `function` of namespace libtorch; a build without LibTorch gives `kUnimplemented` instead.
///
/// Only src/torch defines those functions. A build without LibTorch needs no stubs for them, because only
/// this function calls them, and such a build does not compile the call.
template <auto function, class... Arguments>
auto with_torch(Arguments&&... arguments) -> std::invoke_result_t<decltype(function), Arguments...> {
  if constexpr (kWithTorch) {
    return function(std::forward<Arguments>(arguments)...);
  } else {
    return fail(ErrorCode::kUnimplemented, "this build has no LibTorch");
  }
}

}  // namespace infer::inline v0
