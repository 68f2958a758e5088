#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

namespace infer::inline v0::testing {

/// A new temporary folder, which the destructor removes.
class Folder {
 public:
  Folder() {
    static std::atomic<int> number{0};
    path_ = std::filesystem::temp_directory_path() /
            ("infer-cli-" + std::to_string(getpid()) + "-" + std::to_string(number++));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Writes an image embedder of 8 numbers that takes `ms` for each photograph, and returns its folder.
inline std::string scripted_model(const std::filesystem::path& folder, int ms = 0,
                                  const char* weights = "imported") {
  const auto model = folder / "scripted";
  std::filesystem::create_directories(model / "1");
  std::ofstream(model / "infer.json")
      << R"({"task": "image-embedding", "backend": "scripted", "file": "script.json", "preprocess": {"size": 32},
             "inputs": [{"name": "pixel_values", "dtype": "FP32", "shape": [3, 32, 32]}],
             "outputs": [{"name": "embedding", "dtype": "FP32", "shape": [8]}], "warmup": "none", "weights": ")"
      << weights << "\"}";
  std::ofstream(model / "1" / "script.json") << R"({"per_sample_ms": )" << ms << R"(, "burn": false})";
  return model.string();
}

}  // namespace infer::inline v0::testing
