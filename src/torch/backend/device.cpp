#include "device.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <charconv>

namespace infer::inline v0 {
namespace {

int cuda_devices() { return at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0; }

}  // namespace

Result<at::Device> parse_device(const std::string& name) {
  if (name == "cpu") return at::Device(at::kCPU);
  const std::string prefix = "cuda:";
  int index = name == "cuda" ? 0 : -1;
  if (name.starts_with(prefix)) {
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, index);
    if (error != std::errc() || stop != end || index > 127) index = -1;
  }
  if (index < 0) return fail(ErrorCode::kInvalidArgument, "device: '" + name + "' is neither cpu nor cuda:N");
  // The GPU library is loaded only on demand, so that one binary serves machines with and without a GPU.
  if (!at::hasCUDA() && dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    return fail(ErrorCode::kFailedPrecondition, "device " + name + ": libtorch_cuda.so cannot be loaded");
  }
  if (const int count = cuda_devices(); index >= count) {
    return fail(ErrorCode::kFailedPrecondition,
                "device " + name + ": this machine has " + std::to_string(count) + " CUDA devices");
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

}  // namespace infer::inline v0
