#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "checkpoint_files.h"

namespace infer::inline v0::testing {

/// A temporary folder for a checkpoint and the model made from it.
class ImportFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("infer-import-" + std::to_string(getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    start_again();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void start_again() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  std::filesystem::path checkpoint(const std::string& config, const NamedShapes& tensors) {
    write_checkpoint(folder_ / "checkpoint", config, tensors);
    return folder_ / "checkpoint";
  }
  std::filesystem::path model() const { return folder_ / "model"; }

  std::filesystem::path folder_;
};

}  // namespace infer::inline v0::testing
