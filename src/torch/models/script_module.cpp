#include "script_module.h"

#include <torch/csrc/jit/api/module.h>

#include "../backend/error_text.h"
#include "module_file.h"

namespace infer::inline v0 {

Result<void> save_script(const std::string& source, const std::filesystem::path& file) {
  try {
    torch::jit::Module module("__torch__.infer.Script");
    module.define(source);
    return save_module(module, file);
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInvalidArgument, "script: " + short_text(e));
  }
}

}  // namespace infer::inline v0
