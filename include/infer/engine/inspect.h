#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What a TorchScript file holds, read without running it.
struct ModuleReport {
  struct Tensors {
    std::size_t count = 0;
    std::size_t elements = 0;
    std::size_t bytes = 0;
  };
  std::vector<std::string> methods;
  std::string forward;  ///< Its schema, as TorchScript writes it.
  std::map<std::string, std::size_t>
      ops;  ///< Calls of each operator in forward, after inlining and freezing.
  std::map<std::string, Tensors> parameters;  ///< By dtype: parameters and buffers.
  std::vector<std::string>
      device_constants;  ///< Places where a device other than cpu is written into the code.
  std::vector<std::string>
      mutable_buffers;  ///< Attributes that forward writes to: state that requests would share.
  std::vector<std::string> non_finite;  ///< Parameters and buffers that hold NaN or infinity.
};

/// Loads `file` on the CPU and looks at it. Blocking. Errors: those of `load_torchscript`.
INFER_EXPORT Result<ModuleReport> inspect_torchscript(const std::filesystem::path& file);

}  // namespace infer::inline v0
