#include <memory>
#include <utility>

#include "infer/engine/backend.h"
#include "infer/engine/manifest.h"

namespace infer::inline v0 {
namespace {

/// Returns its inputs with the other sign, as a model in FP32 would.
class Negate final : public Backend {
 public:
  explicit Negate(ModelSignature signature) : signature_(std::move(signature)) {}
  const ModelSignature& signature() const noexcept override { return signature_; }
  bool is_instant() const noexcept override { return true; }

  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    std::vector<Tensor> outputs;
    for (const Tensor& input : inputs) {
      auto output = Tensor::allocate(DType::kFp32, input.shape());
      if (!output) return Unexpected(output.error());
      const auto from = input.as<float>();
      const auto to = output->as<float>();
      for (std::size_t i = 0; i < from.size(); ++i) to[i] = -from[i];
      outputs.push_back(*std::move(output));
    }
    return outputs;
  }

 private:
  ModelSignature signature_;
};

}  // namespace

Result<std::shared_ptr<const Backend>> load_negate(const Manifest& manifest, const std::filesystem::path&,
                                                   const LoadOptions&) {
  return std::make_shared<const Negate>(ModelSignature{manifest.inputs, manifest.outputs});
}

}  // namespace infer::inline v0
