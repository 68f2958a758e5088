#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

#include <set>

#include "../../engine/torch_backend.h"
#include "error_text.h"

namespace infer::inline v0 {
namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

/// Returns the name, such as "encoder.running_mean", of the value of a chain of prim::GetAttr.
std::string attribute_name(const Value* value) {
  const Node* node = value->node();
  if (node->kind() != at::prim::GetAttr) return "";
  const std::string outer = attribute_name(node->input(0));
  return (outer.empty() ? "" : outer + ".") + node->s(at::attr::name);
}

struct Finder {
  ModuleReport& report;
  std::set<std::string> written;
  std::set<std::string> devices;

  void look(const Block* block) {
    for (const Node* node : block->nodes()) {
      for (const Block* inner : node->blocks()) look(inner);
      note_devices(node);
      if (node->kind() == at::prim::SetAttr) {
        const std::string outer = attribute_name(node->input(0));
        written.insert((outer.empty() ? "" : outer + ".") + node->s(at::attr::name));
      }
      const torch::jit::FunctionSchema* schema = node->maybeSchema();
      if (schema == nullptr) continue;
      for (std::size_t i = 0; i < schema->arguments().size() && i < node->inputs().size(); ++i) {
        const auto* alias = schema->arguments()[i].alias_info();
        if (alias == nullptr || !alias->isWrite()) continue;
        if (const std::string name = attribute_name(node->input(i)); !name.empty()) written.insert(name);
      }
    }
  }

  void note_devices(const Node* node) {
    if (node->kind() != at::prim::Constant) return;
    const auto constant = torch::jit::toIValue(node->output());
    if (!constant) return;
    std::string device;
    if (constant->isDevice()) device = constant->toDevice().str();
    if (constant->isTensor() && constant->toTensor().defined()) device = constant->toTensor().device().str();
    if (device.empty() || device == "cpu") return;
    std::string where = node->sourceRange().str();
    devices.insert(device + " in " + where.substr(0, where.find('\n')));
  }
};

void count_ops(const Block* block, std::map<std::string, std::size_t>& ops) {
  for (const Node* node : block->nodes()) {
    for (const Block* inner : node->blocks()) count_ops(inner, ops);
    if (node->kind() == at::prim::Constant || node->kind() == at::prim::GetAttr) continue;
    ++ops[node->kind().toQualString()];
  }
}

bool all_finite(const at::Tensor& tensor) {
  return !tensor.is_floating_point() || tensor.numel() == 0 || tensor.isfinite().all().item<bool>();
}

}  // namespace

Result<ModuleReport> libtorch::inspect(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return fail(ErrorCode::kNotFound, file.string() + ": no such file");
  try {
    const c10::InferenceMode guard;
    torch::jit::Module module = torch::jit::load(file.string(), at::kCPU);
    module.eval();
    ModuleReport report;
    for (const auto& method : module.get_methods()) report.methods.push_back(method.name());
    for (const auto& [name, tensor] : module.named_parameters(true)) {
      auto& of_type = report.parameters[toString(tensor.scalar_type())];
      ++of_type.count;
      of_type.elements += static_cast<std::size_t>(tensor.numel());
      of_type.bytes += tensor.nbytes();
      if (!all_finite(tensor)) report.non_finite.push_back(name);
    }
    for (const auto& [name, tensor] : module.named_buffers(true)) {
      auto& of_type = report.parameters[toString(tensor.scalar_type())];
      ++of_type.count;
      of_type.elements += static_cast<std::size_t>(tensor.numel());
      of_type.bytes += tensor.nbytes();
      if (!all_finite(tensor)) report.non_finite.push_back(name);
    }
    if (const auto forward = module.find_method("forward")) {
      std::ostringstream schema;
      schema << forward->function().getSchema();
      report.forward = schema.str();
      const auto graph = forward->graph()->copy();
      torch::jit::Inline(*graph);
      Finder finder{report, {}, {}};
      finder.look(graph->block());
      report.mutable_buffers.assign(finder.written.begin(), finder.written.end());
      report.device_constants.assign(finder.devices.begin(), finder.devices.end());
      const auto frozen = torch::jit::freeze(module);
      count_ops(frozen.get_method("forward").graph()->block(), report.ops);
    }
    return report;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(ErrorCode::kModelError, file.string() + ": " + short_text(e));
  }
}

}  // namespace infer::inline v0
