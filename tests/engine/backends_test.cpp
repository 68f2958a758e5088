#include "infer/engine/backends.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "infer/engine/model.h"
#include "infer/engine/open.h"

namespace infer {
namespace {

namespace fs = std::filesystem;

/// Adds a number to each of four numbers.
class Adder final : public Backend {
 public:
  explicit Adder(float number) : number_(number) {}
  const ModelSignature& signature() const noexcept override { return signature_; }
  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    auto out = Tensor::allocate(DType::kFp32, inputs[0].shape());
    if (!out) return Unexpected(out.error());
    std::ranges::transform(inputs[0].as<float>(), out->as<float>().begin(),
                           [this](float x) { return x + number_; });
    return std::vector{*std::move(out)};
  }

 private:
  const float number_;
  const ModelSignature signature_{{{"x", DType::kFp32, Shape{4}}}, {{"y", DType::kFp32, Shape{4}}}};
};

/// Reads the number of an `Adder` from the model's file.
Result<std::shared_ptr<const Backend>> load_adder(const Manifest& manifest, const fs::path& directory,
                                                  const LoadOptions& /*options*/) {
  std::ifstream file(directory / manifest.file);
  float number = 0;
  if (!(file >> number)) return fail(ErrorCode::kModelError, manifest.file + ": holds no number");
  return std::shared_ptr<const Backend>(std::make_shared<Adder>(number));
}

std::shared_ptr<const Backends> with_adder() {
  Backends backends;
  EXPECT_TRUE(backends.add({"adder", "arithmetic", load_adder}));
  return std::make_shared<const Backends>(std::move(backends));
}

class OwnBackend : public ::testing::Test {
 protected:
  OwnBackend() : root_(fs::temp_directory_path() / ("infer-backends-" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    write("m/infer.json", R"({"backend": "adder", "file": "number.txt"})");
    write("m/1/number.txt", "10");
  }
  ~OwnBackend() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(OwnBackend, AModelFolderMayNameABackendOfTheProgram) {
  OpenOptions options;
  options.backends = with_adder();
  auto engine = open_engine(root_ / "m", options).value();
  auto input = Tensor::allocate(DType::kFp32, Shape{4}).value();
  std::ranges::fill(input.as<float>(), 1.0F);
  EXPECT_EQ(engine.infer({std::move(input)}).value().outputs[0].as<float>()[3], 11.0F);
  EXPECT_EQ(engine.model().platform, "arithmetic");
}

TEST_F(OwnBackend, ItsErrorsAreThoseOfTheModel) {
  write("m/1/number.txt", "ten");
  const auto model = load_model(root_ / "m", {.backends = with_adder()});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kModelError);
  EXPECT_EQ(model.error().message, "number.txt: holds no number");
}

TEST_F(OwnBackend, IsKnownToThoseAloneWhoAreGivenTheTable) {
  const auto table = with_adder();
  const auto without = load_model(root_ / "m");
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::kUnimplemented);
  EXPECT_EQ(without.error().message.find("adder'"), without.error().message.rfind("adder"));
  write("m/infer.json", R"({"backend": "subtractor", "file": "number.txt"})");
  const auto other = load_model(root_ / "m", {.backends = table});
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().message.ends_with(", adder")) << other.error().message;
}

TEST_F(OwnBackend, AnEngineOpensWithTheManifestItIsGiven) {
  const Manifest manifest = read_manifest(root_ / "m", "1").value();
  fs::remove(root_ / "m/infer.json");  // a second read would fail
  OpenOptions options;
  options.backends = with_adder();
  EXPECT_EQ(open_engine(root_ / "m", manifest, options).error().code, ErrorCode::kInvalidArgument);
  options.version = "1";
  EXPECT_TRUE(open_engine(root_ / "m", manifest, options));
}

TEST(Backends, ANameThatIsTakenIsRefused) {
  Backends backends;
  ASSERT_TRUE(backends.add({"adder", "", load_adder}));
  for (const char* name : {"adder", "scripted"}) {
    const auto added = backends.add({name, "", load_adder});
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().code, ErrorCode::kFailedPrecondition);
    EXPECT_EQ(added.error().message, "backend '" + std::string(name) + "' is in the table already");
  }
}

TEST(Backends, AMalformedRowIsRefused) {
  Backends backends;
  const std::size_t before = backends.entries().size();
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a/b"), std::string(65, 'a')}) {
    const auto added = backends.add({name, "", load_adder});
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(added.error().message.find("'" + name + "'"), std::string::npos);
  }
  EXPECT_EQ(backends.add({"adder", "", nullptr}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(backends.entries().size(), before);
}

TEST(Backends, ThePlatformIsTheNameUnlessItIsGiven) {
  Backends backends;
  ASSERT_TRUE(backends.add({"adder", "", load_adder}));
  EXPECT_EQ(backends.find("adder")->platform, "adder");
  EXPECT_EQ(backends.find("scripted")->platform, "scripted");
  EXPECT_EQ(backends.find("add"), nullptr);
}

}  // namespace
}  // namespace infer
