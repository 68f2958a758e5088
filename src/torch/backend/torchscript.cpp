#include <ATen/Parallel.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <array>
#include <exception>
#include <istream>
#include <new>
#include <streambuf>
#include <string>
#include <utility>

#include "../../engine/torch_backend.h"
#include "device.h"
#include "error_text.h"
#include "infer/torch_interop.h"
#include "pack_int8.h"
#include "pack_weights.h"
#include "quiet_warnings.h"
#include "tensor_pool.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

/// Lets a memory block be read as a seekable stream without copying it.
class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(std::span<const std::byte> bytes) {
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // never written
    setg(begin, begin, begin + bytes.size());
  }

 protected:
  pos_type seekoff(off_type offset, std::ios_base::seekdir direction, std::ios_base::openmode) override {
    char* from = direction == std::ios_base::beg   ? eback()
                 : direction == std::ios_base::cur ? gptr()
                                                   : egptr();
    if (offset < eback() - from || offset > egptr() - from) return pos_type(off_type(-1));
    setg(eback(), from + offset, egptr());
    return gptr() - eback();
  }
  pos_type seekpos(pos_type position, std::ios_base::openmode mode) override {
    return seekoff(off_type(position), std::ios_base::beg, mode);
  }
};

Result<ModelSignature> signature_of(const torch::jit::Module& module, const Manifest& manifest) {
  const auto method = module.find_method("forward");
  if (!method) return fail(ErrorCode::kModelError, "the module has no method named forward");
  const auto& arguments = method->function().getSchema().arguments();
  std::vector<TensorSpec> declared;
  for (std::size_t i = 1; i < arguments.size(); ++i) {  // 0 is self
    const auto& argument = arguments[i];
    if (argument.type()->kind() == c10::TypeKind::TensorType) {
      declared.push_back({argument.name(), DType::kFp32, {}, true});
    } else if (!argument.default_value()) {
      return fail(ErrorCode::kModelError, "forward takes '" + argument.name() + "' of type " +
                                              argument.type()->annotation_str() +
                                              ", only Tensors can be given");
    }
  }
  if (declared.empty()) return fail(ErrorCode::kModelError, "forward takes no Tensor");
  if (!manifest.inputs.empty() && manifest.inputs.size() != declared.size()) {
    return fail(ErrorCode::kModelError, "infer.json: inputs: " + std::to_string(manifest.inputs.size()) +
                                            " declared, forward takes " + std::to_string(declared.size()));
  }
  return ModelSignature{manifest.inputs.empty() ? std::move(declared) : manifest.inputs, manifest.outputs};
}

class TorchScriptBackend final : public Backend {
 public:
  TorchScriptBackend(torch::jit::Module module, ModelSignature signature, at::Device device,
                     std::size_t threads)
      : module_(std::move(module)), signature_(std::move(signature)), device_(device), threads_(threads) {}

  const ModelSignature& signature() const noexcept override { return signature_; }

  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    try {
      const c10::InferenceMode guard;
      const TensorPool::Forward pooled;
      std::vector<c10::IValue> arguments;
      arguments.reserve(inputs.size());
      for (const Tensor& input : inputs) arguments.emplace_back(on_device(to_torch(input)));
      return unpack(module_.get_method("forward")(std::move(arguments)));
    } catch (const c10::OutOfMemoryError& e) {
      return fail(ErrorCode::kOutOfMemory, first_line(e.what_without_backtrace()));
    } catch (const std::bad_alloc&) {
      return Unexpected(out_of_memory());
    } catch (const std::exception& e) {
      return fail(is_allocation_failure(e.what()) ? ErrorCode::kOutOfMemory : ErrorCode::kModelError,
                  short_text(e));
    }
  }

  void bind_worker_thread() const override { at::set_num_threads(static_cast<int>(threads_)); }

 private:
  /// Copies to a GPU through pinned memory, which LibTorch keeps for the next batch: the GPU copies from
  /// pinned memory directly, and the CPU does not wait.
  at::Tensor on_device(const at::Tensor& input) const {
    if (device_.is_cpu()) return input;
    at::Tensor staged;
    try {
      staged = at::empty(input.sizes(), input.options().pinned_memory(true));
    } catch (const c10::Error&) {  // no more memory can be pinned: copy the slower way
      return input.to(device_);
    }
    return staged.copy_(input).to(device_, input.scalar_type(), /*non_blocking=*/true);
  }

  static Result<std::vector<Tensor>> unpack(const c10::IValue& value) {
    std::vector<Tensor> outputs;
    const auto add = [&](const c10::IValue& item) -> Result<void> {
      if (!item.isTensor())
        return fail(ErrorCode::kModelError, "forward returned " + item.tagKind() + " among its outputs");
      auto tensor = from_torch(item.toTensor());
      if (!tensor) return Unexpected(tensor.error());
      outputs.push_back(*std::move(tensor));
      return {};
    };
    Result<void> added;
    if (value.isTensor()) {
      added = add(value);
    } else if (value.isTuple()) {
      for (const auto& item : value.toTupleRef().elements()) {
        if (added) added = add(item);
      }
    } else if (value.isTensorList()) {
      for (const at::Tensor& item : value.toTensorVector()) {
        if (added) added = add(item);
      }
    } else {
      return fail(ErrorCode::kModelError, "forward returned " + value.tagKind() + ", expected Tensors");
    }
    if (!added) return Unexpected(added.error());
    return outputs;
  }

  const torch::jit::Module module_;
  const ModelSignature signature_;
  const at::Device device_;
  const std::size_t threads_;
};

template <class Load>
Result<std::shared_ptr<const Backend>> load(const Manifest& manifest, const LoadOptions& options,
                                            Load load_module) {
  try {
    auto device = parse_device(options.device);
    if (!device) return Unexpected(device.error());
    // The loading thread computes too: freezing folds constants.
    at::set_num_threads(static_cast<int>(options.intra_op_threads));
    const c10::InferenceMode guard;
    const QuietWarnings quiet;
    torch::jit::Module module = load_module(*device);
    auto signature = signature_of(module, manifest);
    if (!signature) return Unexpected(signature.error());
    module.eval();
    module = torch::jit::freeze(module);
    if (device->is_cpu()) {
      auto graph = module.get_method("forward").graph();
      pack_int8(graph);
      pack_weights(graph);
    }
    return std::shared_ptr<const Backend>(std::make_shared<TorchScriptBackend>(
        std::move(module), *std::move(signature), *device, options.intra_op_threads));
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const std::exception& e) {
    return fail(is_allocation_failure(e.what()) ? ErrorCode::kOutOfMemory : ErrorCode::kModelError,
                "not a TorchScript model that can be loaded: " + short_text(e));
  }
}

}  // namespace

Result<std::shared_ptr<const Backend>> libtorch::load_file(const Manifest& manifest,
                                                           const fs::path& directory,
                                                           const LoadOptions& options) {
  const fs::path path = directory / manifest.file;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return fail(ErrorCode::kNotFound, path.string() + ": no such file");
  auto backend =
      load(manifest, options, [&](at::Device device) { return torch::jit::load(path.string(), device); });
  if (!backend) return fail(backend.error().code, path.string() + ": " + backend.error().message);
  return backend;
}

Result<std::shared_ptr<const Backend>> libtorch::load_archive(std::span<const std::byte> archive,
                                                              const Manifest& manifest,
                                                              const LoadOptions& options) {
  return load(manifest, options, [&](at::Device device) {
    MemoryBuffer buffer(archive);
    std::istream stream(&buffer);
    return torch::jit::load(stream, device);
  });
}

void libtorch::prepare_process(std::size_t intra_op_threads) {
  at::set_num_threads(static_cast<int>(intra_op_threads));
  try {
    at::set_num_interop_threads(1);
  } catch (const std::exception&) {  // can be set only once, and the host has set it
  }
  torch::jit::getProfilingMode() = false;
  torch::jit::getExecutorMode() = false;
  TensorPool::install();
}

const char* libtorch::version() noexcept { return TORCH_VERSION; }

}  // namespace infer::inline v0
