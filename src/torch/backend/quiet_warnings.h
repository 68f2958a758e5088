#pragma once

#include <c10/util/Exception.h>

namespace infer::inline v0 {

/// Keeps LibTorch from writing warnings to standard error on this thread: a library prints nothing.
class QuietWarnings {
 private:
  struct Handler final : c10::WarningHandler {
    void process(const c10::Warning& /*warning*/) override {}
  };
  Handler handler_;
  c10::WarningUtils::WarningHandlerGuard guard_{&handler_};
};

}  // namespace infer::inline v0
