#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/zeros.h>
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../../engine/torch_backend.h"
#include "error_text.h"

namespace infer::inline v0 {
namespace {

thread_local double counted = 0;

double elements(const c10::IValue& value) {
  return value.isTensor() ? static_cast<double>(value.toTensor().numel()) : 0;
}

/// Returns how many multiplications with addition make an element of the result; 0 for an operator that is
/// not a product. Counts innermost operators only, since LibTorch reports the enclosing operators, too.
double depth_of(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  // `call.inputs()` may contain the interpreter's whole stack.
  const auto inputs = call.inputs().slice(call.inputs().size() - call.num_inputs());
  const auto last_dimension = [&](std::size_t i) {
    return static_cast<double>(inputs[i].toTensor().size(-1));
  };
  if (name == "aten::mm" || name == "aten::bmm" || name == "mkldnn::_linear_pointwise" ||
      name == "quantized::linear_dynamic" || name == "onednn::qlinear_pointwise")
    return last_dimension(0);
  if (name == "aten::addmm" || name == "aten::baddbmm") return last_dimension(1);
  if (name == "aten::convolution" || name == "mkldnn::_convolution_pointwise")
    return elements(inputs[1]) / static_cast<double>(inputs[1].toTensor().size(0));
  // The product of queries with keys, and that of its result with values.
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu")
    return 2 * static_cast<double>(inputs[1].toTensor().size(-2));
  return 0;
}

/// Keeps the depth until the call ends: inputs exist only at the start of a call, results only at its end.
struct Depth : at::ObserverContext {
  explicit Depth(double value) : value(value) {}
  double value;
};

std::unique_ptr<at::ObserverContext> at_begin(const at::RecordFunction& call) {
  return std::make_unique<Depth>(depth_of(call));
}

void at_end(const at::RecordFunction& call, at::ObserverContext* context) {
  const double depth = static_cast<const Depth*>(context)->value;
  if (depth > 0) counted += 2 * depth * elements(call.outputs()[call.outputs().size() - call.num_outputs()]);
}

/// Registers LibTorch's callback that counts operations, and removes it when destroyed.
class Counting {
 public:
  Counting()
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(at_begin, at_end)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    counted = 0;
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
  ~Counting() { at::removeCallback(handle_); }

 private:
  at::CallbackHandle handle_;
};

c10::IValue call(const char* name, std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(arguments);
  return arguments.at(0);
}

constexpr std::int64_t kEdge = 2048;

std::function<void()> float_product(at::ScalarType type) {
  const at::Tensor matrix = at::ones({kEdge, kEdge}, type);
  const at::Tensor packed =
      call("mkldnn::_reorder_linear_weight", {at::ones({kEdge, kEdge}, type), kEdge}).toTensor();
  return [matrix, packed] {
    call("mkldnn::_linear_pointwise",
         {matrix, packed, c10::IValue(), "none", c10::List<std::optional<at::Scalar>>(), ""});
  };
}

std::function<void()> int8_product() {
  const at::Tensor matrix = at::randint(256, {kEdge, kEdge}, at::kByte);
  const at::Tensor packed =
      call("onednn::qlinear_prepack",
           {at::randint(-127, 128, {kEdge, kEdge}, at::kChar), std::vector<std::int64_t>{kEdge, kEdge}})
          .toTensor();
  const at::Tensor scales = at::full({kEdge}, 0.01F);
  const at::Tensor zeros = at::zeros({kEdge}, at::kInt);
  return [=] {
    call("onednn::qlinear_pointwise", {matrix, 0.01, 128, packed, scales, zeros, c10::IValue(), 1.0, 0,
                                       at::kFloat, "none", c10::List<std::optional<at::Scalar>>(), ""});
  };
}

}  // namespace

Result<double> libtorch::count_operations(const Backend& backend, std::span<const Tensor> inputs) {
  const Counting counting;
  auto outputs = backend.forward(inputs);
  if (!outputs) return Unexpected(outputs.error());
  return counted;
}

Result<double> libtorch::measure_peak(std::string_view precision, double seconds) {
  if (!at::hasMKLDNN()) return fail(ErrorCode::kUnimplemented, "this LibTorch has no oneDNN");
  try {
    const c10::InferenceMode guard;
    std::function<void()> run;
    if (precision == "fp32") {
      run = float_product(at::kFloat);
    } else if (precision == "bf16") {
      run = float_product(at::kBFloat16);
    } else if (precision == "int8") {
      run = int8_product();
    } else {
      return fail(ErrorCode::kInvalidArgument,
                  "precision: '" + std::string(precision) + "' is not one of fp32, bf16, int8");
    }
    run();  // warms caches
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    double products = 0;
    double elapsed = 0;
    do {
      run();
      ++products;
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds);
    return 2.0 * kEdge * kEdge * kEdge * products / elapsed;
  } catch (const std::exception& e) {
    return fail(ErrorCode::kUnimplemented, short_text(e));
  }
}

}  // namespace infer::inline v0
