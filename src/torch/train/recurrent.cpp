#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/optim/adam.h>

#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "../../models/torch_making.h"
#include "../backend/error_text.h"
#include "../models/module_builder.h"
#include "../models/module_file.h"
#include "infer/series/statistical.h"

namespace infer::inline v0 {
namespace {

constexpr std::int64_t kHidden = 32;
constexpr std::int64_t kBatch = 64;
constexpr std::size_t kMaxEpochs = 200;
constexpr std::size_t kPatience = 15;
constexpr double kLearningRate = 5e-3;

/// The network gets targets relative to their last value, in units of their usual change, and returns changes
/// in that unit, so that it also works at levels that training never saw, as in a trend.
constexpr const char* kSource = R"(
def forward(self, window: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    last = window[:, -1:, :$OUTPUTS]
    relative = (window[:, :, :$OUTPUTS] - last) / self.input_unit
    x = torch.cat([torch.clamp(relative, -10.0, 10.0), window[:, :, $OUTPUTS:]], 2)
    zeros = torch.zeros([1, window.size(0), $HIDDEN], dtype=window.dtype, device=window.device)
    out = $CELL[0]
    change = torch.linear(out[:, -1], self.head_weight, self.head_bias).view([-1, $HORIZON, $OUTPUTS])
    y = last + change * self.unit
    return (y, y - self.spread, y + self.spread)
)";
constexpr const char* kGru =
    "torch.gru(x, zeros, [self.w_ih, self.w_hh, self.b_ih, self.b_hh], True, 1, 0.0, False, False, True)";
constexpr const char* kLstm =
    "torch.lstm(x, [zeros, zeros], [self.w_ih, self.w_hh, self.b_ih, self.b_hh], True, 1, 0.0, False, False, "
    "True)";

at::Tensor view(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);  // never written
}

class Network {
 public:
  Network(bool lstm, std::uint64_t seed, const Windows& windows)
      : lstm_(lstm),
        outputs_(static_cast<std::int64_t>(windows.outputs)),
        horizon_(static_cast<std::int64_t>(windows.horizon)) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    const double bound = 1 / std::sqrt(static_cast<double>(kHidden));
    const auto uniform = [&](std::vector<std::int64_t> shape) {
      return at::rand(shape, generator).mul_(2 * bound).sub_(bound).set_requires_grad(true);
    };
    const std::int64_t gates = (lstm ? 4 : 3) * kHidden;
    const auto width = static_cast<std::int64_t>(windows.width);
    names_ = {"w_ih", "w_hh", "b_ih", "b_hh", "head_weight", "head_bias"};
    weights_ = {uniform({gates, width}),
                uniform({gates, kHidden}),
                uniform({gates}),
                uniform({gates}),
                uniform({horizon_ * outputs_, kHidden}),
                at::zeros({horizon_ * outputs_}).set_requires_grad(true)};
  }

  /// Takes the units of change from the training windows: change per row for inputs, over the horizon for
  /// outputs.
  void measure(const at::Tensor& x, const at::Tensor& y) {
    const at::Tensor past = x.narrow(2, 0, outputs_);
    const std::int64_t history = x.size(1);
    const at::Tensor steps = history > 1 ? past.narrow(1, 1, history - 1).sub(past.narrow(1, 0, history - 1))
                                         : y.narrow(1, 0, 1).sub(past);
    input_unit_ = deviation(steps.reshape({-1, outputs_})).view({1, 1, outputs_});
    divisor_ = deviation(y.sub(last(x))).view({1, horizon_, outputs_});
    // The forecast of a target that never changes in training has no change.
    unit_ = divisor_.masked_fill(y.sub(last(x)).abs().amax(0, true).lt(1e-6), 0.0);
    spread_ = at::zeros({1, horizon_, outputs_});
  }

  at::Tensor forward(const at::Tensor& x) const {
    const at::Tensor relative = x.narrow(2, 0, outputs_).sub(last(x)).div(input_unit_).clamp(-10, 10);
    const at::Tensor seen = at::cat({relative, x.narrow(2, outputs_, x.size(2) - outputs_)}, 2);
    const at::Tensor zeros = at::zeros({1, x.size(0), kHidden});
    const std::vector<at::Tensor> cell(weights_.begin(), weights_.begin() + 4);
    const at::Tensor out =
        lstm_ ? std::get<0>(at::lstm(seen, {zeros, zeros}, cell, true, 1, 0, false, false, true))
              : std::get<0>(at::gru(seen, zeros, cell, true, 1, 0, false, false, true));
    return at::linear(out.select(1, -1), weights_[4], weights_[5]).view({-1, horizon_, outputs_});
  }

  /// Returns the mean squared error of the changes, in their unit.
  at::Tensor loss(const at::Tensor& x, const at::Tensor& y) const {
    return at::mse_loss(forward(x), y.sub(last(x)).div(divisor_));
  }

  std::vector<float> fit_spread(const at::Tensor& x, const at::Tensor& y) {
    const c10::InferenceMode guard;
    const at::Tensor wrong = y.sub(last(x)).sub(forward(x).mul(unit_));
    spread_ = wrong.square().mean(0, true).sqrt().mul(kEightyPercent).contiguous();
    const auto* first = spread_.const_data_ptr<float>();
    return {first, first + spread_.numel()};
  }
  void set_spread(const std::vector<float>& spread) {
    spread_ = view(spread, {1, horizon_, outputs_}).clone();
  }

  std::vector<at::Tensor> copy() const {
    std::vector<at::Tensor> out;
    for (const at::Tensor& weight : weights_) out.push_back(weight.detach().clone());
    return out;
  }
  void restore(const std::vector<at::Tensor>& weights) {
    for (std::size_t i = 0; i < weights.size(); ++i) weights_[i] = weights[i];
  }
  const std::vector<at::Tensor>& weights() const { return weights_; }

  Result<void> save(const std::filesystem::path& file) const {
    ModuleBuilder builder;
    torch::jit::Module module = builder.make(lstm_ ? "Lstm" : "Gru");
    for (std::size_t i = 0; i < weights_.size(); ++i)
      module.register_parameter(names_[i], weights_[i], false);
    module.register_buffer("input_unit", input_unit_);
    module.register_buffer("unit", unit_);
    module.register_buffer("spread", spread_.clone());
    module.define(
        fill_in(fill_in(kSource, {{"$CELL", lstm_ ? kLstm : kGru}}), {{"$OUTPUTS", std::to_string(outputs_)},
                                                                      {"$HORIZON", std::to_string(horizon_)},
                                                                      {"$HIDDEN", std::to_string(kHidden)}}));
    module.eval();
    return save_module(module, file);
  }

 private:
  at::Tensor last(const at::Tensor& x) const { return x.narrow(1, x.size(1) - 1, 1).narrow(2, 0, outputs_); }

  /// Returns the root mean square over the first dimension; 1 if nothing changes.
  static at::Tensor deviation(const at::Tensor& values) {
    const at::Tensor root = values.square().mean(0).sqrt();
    return root.masked_fill(root.lt(1e-6), 1.0);
  }

  const bool lstm_;
  const std::int64_t outputs_;
  const std::int64_t horizon_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> weights_;
  at::Tensor input_unit_;
  at::Tensor unit_;     // unit of the network's output
  at::Tensor divisor_;  // unit of the loss, never 0
  at::Tensor spread_;
};

/// A network and its training data.
class Training {
 public:
  Training(bool lstm, std::uint64_t seed, const Windows& windows)
      : network_(lstm, seed, windows),
        x_(inputs(windows)),
        y_(targets(windows)),
        adam_((network_.measure(x_, y_), network_.weights()), torch::optim::AdamOptions(kLearningRate)),
        generator_(at::make_generator<at::CPUGeneratorImpl>(seed + 1)) {}

  static at::Tensor inputs(const Windows& w) {
    return view(w.inputs, {static_cast<std::int64_t>(w.count), static_cast<std::int64_t>(w.history),
                           static_cast<std::int64_t>(w.width)});
  }
  static at::Tensor targets(const Windows& w) {
    return view(w.targets, {static_cast<std::int64_t>(w.count), static_cast<std::int64_t>(w.horizon),
                            static_cast<std::int64_t>(w.outputs)});
  }

  void epoch() {
    const at::Tensor order = at::randperm(x_.size(0), generator_);
    for (std::int64_t at = 0; at < x_.size(0); at += kBatch) {
      const at::Tensor rows = order.narrow(0, at, std::min(kBatch, x_.size(0) - at));
      adam_.zero_grad();
      network_.loss(x_.index_select(0, rows), y_.index_select(0, rows)).backward();
      adam_.step();
    }
  }

  /// Returns the loss. Errors: `kModelError` (the loss is not finite).
  Result<double> loss(const at::Tensor& x, const at::Tensor& y, std::size_t epoch) const {
    const c10::InferenceMode guard;
    const auto loss = network_.loss(x, y).item<double>();
    if (std::isfinite(loss)) return loss;
    return fail(ErrorCode::kModelError,
                "training: the loss of epoch " + std::to_string(epoch) + " is not finite");
  }
  Result<double> loss(std::size_t epoch) const { return loss(x_, y_, epoch); }

  Network& network() { return network_; }

 private:
  Network network_;
  const at::Tensor x_;
  const at::Tensor y_;
  torch::optim::Adam adam_;
  at::Generator generator_;
};

/// Returns the result of `call`, with exceptions turned into errors.
template <class Call>
auto guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, "training: " + short_text(e));
  }
}

}  // namespace

Result<RecurrentFit> libtorch::train_recurrent(bool lstm, std::uint64_t seed, const Windows& training,
                                               const Windows& validation, const EpochHook& hook,
                                               const std::filesystem::path& file) {
  return guarded([&]() -> Result<RecurrentFit> {
    Training run(lstm, seed, training);
    const at::Tensor check_x = Training::inputs(validation);
    const at::Tensor check_y = Training::targets(validation);
    double best = std::numeric_limits<double>::infinity();
    RecurrentFit fit;
    std::vector<at::Tensor> best_weights = run.network().copy();
    for (std::size_t epoch = 1; epoch <= kMaxEpochs && epoch <= fit.epochs + kPatience; ++epoch) {
      run.epoch();
      const auto loss = run.loss(check_x, check_y, epoch);
      if (!loss) return Unexpected(loss.error());
      if (hook) hook(epoch, *loss);
      if (*loss < best) {
        best = *loss;
        best_weights = run.network().copy();
        fit.epochs = epoch;
      }
    }
    run.network().restore(best_weights);
    fit.spread = run.network().fit_spread(check_x, check_y);
    if (auto saved = run.network().save(file); !saved) return Unexpected(saved.error());
    return fit;
  });
}

Result<void> libtorch::refit_recurrent(bool lstm, std::uint64_t seed, const Windows& training,
                                       const RecurrentFit& fit, const std::filesystem::path& file) {
  return guarded([&]() -> Result<void> {
    Training run(lstm, seed, training);
    for (std::size_t epoch = 1; epoch <= fit.epochs; ++epoch) run.epoch();
    if (const auto loss = run.loss(fit.epochs); !loss) return Unexpected(loss.error());
    run.network().set_spread(fit.spread);
    return run.network().save(file);
  });
}

}  // namespace infer::inline v0
