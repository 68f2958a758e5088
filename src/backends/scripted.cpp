#include "infer/testing/scripted_backend.h"

#include <time.h>

#include <atomic>
#include <cmath>
#include <numbers>
#include <string>
#include <thread>
#include <utility>

#include "../engine/number_text.h"

namespace infer::inline v0 {
namespace testing {
namespace {

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Does one round of the fixed computation, which takes about a microsecond.
std::uint64_t work_round(std::uint64_t state) {
  for (int i = 0; i < 1000; ++i) {  // xorshift64: Marsaglia, 2003
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
  }
  return state;
}

/// Returns two uniform random numbers in (0, 1] that depend only on seed and forward number (SplitMix64:
/// Steele et al., 2014).
std::pair<double, double> random_pair(std::uint64_t seed, std::uint64_t forward) {
  const auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<double>(((z ^ (z >> 31)) >> 11) + 1) * 0x1p-53;
  };
  const std::uint64_t base = seed * 0xD1342543DE82EF95ULL + 2 * forward * 0x9E3779B97F4A7C15ULL;
  return {mix(base + 0x9E3779B97F4A7C15ULL), mix(base + 2 * 0x9E3779B97F4A7C15ULL)};
}

/// Returns true if an output has the dtype and shape of the input at the same index.
bool is_input(const ModelSignature& signature, std::size_t index) {
  if (index >= signature.inputs.size()) return false;
  const TensorSpec& input = signature.inputs[index];
  const TensorSpec& output = signature.outputs[index];
  return input.dtype == output.dtype && input.shape == output.shape;
}

bool brings_work(const TensorSpec& spec) { return spec.dtype == DType::kFp64 && spec.shape == Shape{2}; }

float element(const Tensor& tensor, std::size_t index) {
  return tensor.dtype() == DType::kFp32 ? tensor.as<float>()[index]
                                        : static_cast<float>(tensor.as<std::uint8_t>()[index]);
}

class ScriptedBackend final : public Backend {
 public:
  explicit ScriptedBackend(ScriptedOptions options) : options_(std::move(options)) {}

  const ModelSignature& signature() const noexcept override { return options_.signature; }

  bool is_instant() const noexcept override {
    return !options_.before && options_.base.count() == 0 && options_.per_sample.count() == 0 &&
           !brings_work(options_.signature.inputs[0]);
  }

  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    if (options_.before) {
      if (auto allowed = options_.before(inputs); !allowed) return Unexpected(allowed.error());
    }
    const auto batch = static_cast<std::size_t>(inputs[0].shape()[0]);
    const std::uint64_t number = forwards_.fetch_add(1, std::memory_order_relaxed);
    spend(law(batch, number));
    if (options_.failure_rate > 0 && random_pair(~options_.seed, number).first <= options_.failure_rate)
      return fail(ErrorCode::kModelError, "simulated failure");
    if (brings_work(options_.signature.inputs[0])) return do_work(inputs[0], batch);
    if (options_.poison) {
      for (std::size_t i = 0; i < batch; ++i) {
        if (element(inputs[0].row(i), 0) == *options_.poison)
          return fail(ErrorCode::kModelError, "poisoned sample");
      }
    }
    std::vector<Tensor> outputs;
    for (std::size_t j = 0; j < options_.signature.outputs.size(); ++j) {
      const TensorSpec& spec = options_.signature.outputs[j];
      if (is_input(options_.signature, j)) {
        outputs.push_back(inputs[j]);
        continue;
      }
      auto output = Tensor::allocate(spec.dtype, spec.shape.with_batch(static_cast<std::int64_t>(batch)));
      if (!output) return Unexpected(output.error());
      for (std::size_t i = 0; i < batch; ++i) fill(inputs[0].row(i), output->row(i));
      outputs.push_back(*std::move(output));
    }
    return outputs;
  }

 private:
  std::chrono::microseconds law(std::size_t batch, std::uint64_t number) const {
    const auto time = options_.base + options_.per_sample * static_cast<std::int64_t>(batch);
    if (options_.sigma <= 0) return time;
    const auto [a, b] = random_pair(options_.seed, number);
    const double normal = std::sqrt(-2 * std::log(a)) * std::cos(2 * std::numbers::pi * b);  // Box and Muller
    return std::chrono::microseconds(
        std::llround(static_cast<double>(time.count()) * std::exp(options_.sigma * normal)));
  }

  static Result<std::vector<Tensor>> do_work(const Tensor& input, std::size_t batch) {
    auto output = Tensor::allocate(DType::kFp64, Shape{2}.with_batch(static_cast<std::int64_t>(batch)));
    if (!output) return Unexpected(output.error());
    const auto asked = input.as<double>();
    const auto done = output->as<double>();
    for (std::size_t i = 0; i < 2 * batch; ++i) {
      // The simulator checks these limits too, but tensors can also arrive by other routes.
      const double most = i % 2 == 0 ? 60'000 : 10'000'000;
      if (asked[i] >= 0 && asked[i] <= most) continue;
      return fail(ErrorCode::kInvalidArgument, std::string(i % 2 == 0 ? "work_ms" : "work_units") + ": " +
                                                   number_text(asked[i]) + " is outside 0 to " +
                                                   std::to_string(static_cast<std::int64_t>(most)));
    }
    for (std::size_t i = 0; i < batch; ++i) {
      std::uint64_t state = 0x2545F4914F6CDD1DULL;
      std::uint64_t rounds = 0;
      const auto end = thread_cpu_time() + std::chrono::nanoseconds(std::llround(asked[2 * i] * 1e6));
      for (; static_cast<double>(rounds) < asked[2 * i + 1]; ++rounds) state = work_round(state);
      if (asked[2 * i] > 0) {
        for (; thread_cpu_time() < end; ++rounds) state = work_round(state);
      }
      done[2 * i] = state == 0 ? 0 : asked[2 * i];  // using the state keeps compilers from removing the work
      done[2 * i + 1] = static_cast<double>(rounds);
    }
    std::vector<Tensor> outputs;
    outputs.push_back(*std::move(output));
    return outputs;
  }

  void spend(std::chrono::microseconds time) const {
    if (time.count() <= 0) return;
    if (options_.burn) {
      burn_cpu(time);
    } else {
      std::this_thread::sleep_for(time);
    }
  }

  static void fill(const Tensor& input, Tensor output) {
    const std::size_t from = input.elements();
    const auto out = output.as<float>();
    for (std::size_t j = 0; j < out.size(); ++j)
      out[j] = from == 0 ? 0.0F : element(input, j * from / out.size());
  }

  const ScriptedOptions options_;
  mutable std::atomic<std::uint64_t> forwards_{0};
};

}  // namespace

void burn_cpu(std::chrono::microseconds time) {
  const auto end = thread_cpu_time() + time;
  volatile double sink = 1;
  while (thread_cpu_time() < end) {
    for (int i = 0; i < 200; ++i) sink = sink * 1.0000001;
  }
}

ModelSignature image_signature(std::int64_t size, std::int64_t dim) {
  return {{{"pixel_values", DType::kFp32, Shape{3, size, size}}}, {{"embedding", DType::kFp32, Shape{dim}}}};
}

Result<std::shared_ptr<const Backend>> make_scripted_backend(ScriptedOptions options) {
  const ModelSignature& signature = options.signature;
  const auto bad = [](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "scripted: " + what);
  };
  if (signature.inputs.empty() || signature.outputs.empty())
    return bad("the signature must have inputs and outputs");
  const TensorSpec& first = signature.inputs.front();
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    if (is_input(signature, i) || (brings_work(first) && brings_work(signature.outputs[i]))) continue;
    const TensorSpec& output = signature.outputs[i];
    if (!signature.is_static() || output.dtype != DType::kFp32)
      return bad(output.name +
                 ": must have dtype and shape of the input at its index, or be FP32 of fixed shape");
    if (first.dtype != DType::kFp32 && first.dtype != DType::kUint8)
      return bad(first.name + ": must be FP32 or UINT8, since output " + output.name +
                 " is computed from it");
  }
  return std::shared_ptr<const Backend>(std::make_shared<ScriptedBackend>(std::move(options)));
}

}  // namespace testing

}  // namespace infer::inline v0
