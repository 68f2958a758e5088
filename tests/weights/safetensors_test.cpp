#include "infer/weights/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "support/checkpoint_files.h"

namespace infer::inline v0 {
namespace {

std::string file_bytes(const std::string& header, const std::string& data) {
  const std::uint64_t size = header.size();
  std::string bytes(sizeof size, '\0');
  std::memcpy(bytes.data(), &size, sizeof size);
  return bytes + header + data;
}

Result<TensorMap> parse(const std::string& text) {
  auto owner = std::make_shared<std::string>(text);
  return parse_safetensors({reinterpret_cast<std::byte*>(owner->data()), owner->size()}, owner);
}

TEST(Safetensors, TensorsShareTheFilesMemory) {
  const auto path = std::filesystem::temp_directory_path() / ("st-" + std::to_string(getpid()));
  testing::write_text(path, testing::safetensors_bytes({{"a", {2, 3}}, {"b.weight", {4}}}));
  const auto tensors = read_safetensors(path).value();
  std::filesystem::remove(path);  // the mapping stays valid
  ASSERT_EQ(tensors.size(), 2U);
  const Tensor& a = tensors.at("a");
  EXPECT_EQ(a.shape(), (Shape{2, 3}));
  std::vector<float> values(6);
  std::memcpy(values.data(), a.data(), a.bytes());  // the tensor may be unaligned
  EXPECT_EQ(values, testing::formula_weights("a", 6));
}

TEST(Safetensors, AnEmptyTensorAndMetadataAreFine) {
  const auto tensors = parse(file_bytes(
      R"({"__metadata__":{"format":"pt"},"none":{"dtype":"F16","shape":[0,7],"data_offsets":[0,0]},)"
      R"("scalar":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}   )",
      std::string(8, 'x')));
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_EQ(tensors->at("none").elements(), 0U);
  EXPECT_EQ(tensors->at("scalar").elements(), 1U);
}

TEST(Safetensors, WhatIsWrongIsNamed) {
  const std::string four(4, 'x');
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "8 bytes"},
      {"1234567", "8 bytes"},
      {file_bytes("{}", "").substr(0, 9), "given as 2 bytes"},
      {std::string(8, '\xff') + "{}", "length is given as"},
      {file_bytes("[]", ""), "not a JSON object"},
      {file_bytes("{", ""), "not a JSON object"},
      {file_bytes(R"({"a":1})", ""), "a: its entry is not an object"},
      {file_bytes(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", four), "a: has no dtype"},
      {file_bytes(R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", four), "F8_E4M3"},
      {file_bytes(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", four), "a: has no shape"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four), "not a dimension"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", four),
       "9 dimensions"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}})",
                  four),
       "2^44"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", four), "outside the 4 bytes"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four), "outside"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", four), "takes 8 bytes"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", four),
       "must be two whole numbers"},
      {file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", four + "more"),
       "the file has 8"},
      {file_bytes(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})",
           four),
       "b: begins at byte 1"},
  };
  for (const auto& [bytes, expected] : cases) {
    const auto parsed = parse(bytes);
    ASSERT_FALSE(parsed) << expected;
    EXPECT_NE(parsed.error().message.find(expected), std::string::npos) << parsed.error().message;
  }
}

TEST(Safetensors, AFileThatIsNotThereIsNotFound) {
  EXPECT_EQ(read_safetensors("/nowhere/model.safetensors").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace infer::inline v0
