#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <exception>
#include <new>
#include <string>

#include "../../models/torch_making.h"
#include "../backend/error_text.h"
#include "../models/module_file.h"

namespace infer::inline v0 {
namespace {

constexpr const char* kSource = R"(
def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    x = self.base.forward(input_ids, attention_mask)
    x = x / torch.clamp_min(torch.sqrt(torch.mul(x, x).sum([1], True)), 1e-12)
    return torch.linear(x, self.head_weight, self.head_bias)
)";

}  // namespace

Result<void> libtorch::build_text_head(const std::filesystem::path& base, const std::vector<float>& weight,
                                       const std::vector<float>& bias, const std::filesystem::path& file) {
  try {
    const c10::InferenceMode guard;
    const torch::jit::Module embedder = torch::jit::load(base.string());
    // Uses the base's compilation unit, so that its types are known.
    torch::jit::Module module("__torch__.infer.TextClassifier", embedder._ivalue()->compilation_unit());
    const auto labels = static_cast<std::int64_t>(bias.size());
    module.register_module("base", embedder);
    module.register_parameter("head_weight", at::tensor(weight).view({labels, -1}), false);
    module.register_parameter("head_bias", at::tensor(bias), false);
    module.define(kSource);
    module.eval();
    return save_module(module, file);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kModelError, base.string() + ": " + short_text(e));
  }
}

}  // namespace infer::inline v0
