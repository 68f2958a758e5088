#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "infer/core/result.h"
#include "infer/engine/backend.h"
#include "infer/engine/inspect.h"
#include "infer/engine/manifest.h"
#include "infer/engine/tensor.h"

/// The functions of LibTorch that run models. src/torch/backend defines them in a build with LibTorch; call
/// them through `with_torch`.
namespace infer::inline v0::libtorch {

/// Loads DIRECTORY/FILE of the manifest, freezes it and moves it to the device.
Result<std::shared_ptr<const Backend>> load_file(const Manifest& manifest,
                                                 const std::filesystem::path& directory,
                                                 const LoadOptions& options);
/// These functions implement infer/engine/torchscript.h, inspect.h and machine_limit.h.
Result<std::shared_ptr<const Backend>> load_archive(std::span<const std::byte> archive,
                                                    const Manifest& manifest, const LoadOptions& options);
Result<ModuleReport> inspect(const std::filesystem::path& file);
Result<double> count_operations(const Backend& backend, std::span<const Tensor> inputs);
Result<double> measure_peak(std::string_view precision, double seconds);
void prepare_process(std::size_t intra_op_threads);
const char* version() noexcept;

}  // namespace infer::inline v0::libtorch
