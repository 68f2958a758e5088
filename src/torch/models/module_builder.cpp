#include "module_builder.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "infer/torch_interop.h"

namespace infer::inline v0 {

std::string fill_in(std::string source, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    for (std::size_t at = source.find(name); at != std::string::npos;
         at = source.find(name, at + value.size())) {
      source.replace(at, name.size(), value);
    }
  }
  return source;
}

at::Tensor to_float(const Tensor& tensor) {
  const at::Tensor mapped = to_torch(tensor);
  at::Tensor aligned = at::empty(mapped.sizes(), mapped.options());
  std::memcpy(aligned.data_ptr(), tensor.data(), tensor.bytes());
  return aligned.to(at::kFloat);
}

}  // namespace infer::inline v0
