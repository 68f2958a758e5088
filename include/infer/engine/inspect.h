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

/// The contents of a TorchScript file, found without running it.
struct ModuleReport {
  /// Totals of several tensors.
  struct Tensors {
    std::size_t count = 0;     ///< Number of tensors.
    std::size_t elements = 0;  ///< Number of elements of all tensors.
    std::size_t bytes = 0;     ///< Size of all tensors, in bytes.
  };
  std::vector<std::string> methods;  ///< Names of the module's methods.
  std::string forward;               ///< Schema of the method `forward`, as TorchScript writes it.
  /// Calls of each operator in `forward`, after inlining and freezing.
  std::map<std::string, std::size_t> ops;
  std::map<std::string, Tensors> parameters;  ///< Parameters and buffers, by dtype.
  /// Places where the code names a device other than cpu.
  std::vector<std::string> device_constants;
  /// Attributes that `forward` writes: state that requests would share.
  std::vector<std::string> mutable_buffers;
  std::vector<std::string> non_finite;  ///< Parameters and buffers that contain NaN or infinity.
};

/// Loads `file` on the CPU and reports its contents; blocking.
///
/// Loading runs code that the file may contain, so the file's owner must be trusted.
///
/// Errors: those of `load_torchscript`, and `kNotFound`.
INFER_EXPORT Result<ModuleReport> inspect_torchscript(const std::filesystem::path& file);

}  // namespace infer::inline v0
