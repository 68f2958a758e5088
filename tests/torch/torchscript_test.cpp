#include "infer/engine/torchscript.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "image/golden.h"
#include "infer/engine/engine.h"
#include "infer/engine/model.h"
#include "torch/models/script_module.h"

namespace infer {
namespace {

namespace fs = std::filesystem;
using testing::Bytes;

constexpr const char* kDouble = R"(
def forward(self, x: Tensor) -> Tensor:
    return x * 2
)";

class TorchScript : public ::testing::Test {
 protected:
  TorchScript() : folder_(fs::temp_directory_path() / ("infer-ts-" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~TorchScript() override { fs::remove_all(folder_); }

  Bytes archive(const std::string& source) const {
    const fs::path file = folder_ / "script.pt";
    auto saved = save_script(source, file);
    EXPECT_TRUE(saved) << saved.error().message;
    return testing::read_bytes(file.string());
  }

  static Result<std::shared_ptr<const Backend>> load(const Bytes& bytes, const Manifest& manifest = {}) {
    return load_torchscript(std::as_bytes(std::span(bytes)), manifest);
  }

  Result<std::vector<Tensor>> run(const std::string& source) const {
    auto backend = load(archive(source));
    if (!backend) return Unexpected(backend.error());
    auto input = Tensor::allocate(DType::kFp32, Shape{2, 3}).value();
    for (std::size_t i = 0; i < 6; ++i) input.as<float>()[i] = static_cast<float>(i);
    return (*backend)->forward(std::vector<Tensor>{input});
  }

  fs::path folder_;
};

TEST_F(TorchScript, AnAnswerStaysAsItIsWhileOthersAreComputed) {
  prepare_torch_process(1);  // reuses memory between layers
  constexpr std::int64_t kElements = 1 << 18;
  std::vector<Tensor> answers;
  {
    const auto backend = load(archive(kDouble)).value();
    for (int i = 0; i < 8; ++i) {
      auto input = Tensor::allocate(DType::kFp32, Shape{1, kElements}).value();
      std::ranges::fill(input.as<float>(), static_cast<float>(i));
      answers.push_back(backend->forward(std::vector<Tensor>{input}).value().at(0));
      if (i == 3) answers.erase(answers.begin());  // the next answer may reuse this memory
    }
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto expected = static_cast<float>(2 * (i + 1));
    EXPECT_TRUE(std::ranges::all_of(answers[i].as<float>(), [&](float x) { return x == expected; })) << i;
  }
}

TEST_F(TorchScript, RunsAScriptFromMemoryWithTheSignatureOfTheModule) {
  const auto backend = load(archive(kDouble)).value();
  ASSERT_EQ(backend->signature().inputs.size(), 1u);
  EXPECT_EQ(backend->signature().inputs[0].name, "x");
  EXPECT_TRUE(backend->signature().inputs[0].any_rank);
  const auto outputs = run(kDouble).value();
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(outputs[0].as<float>()[5], 10.0F);
}

TEST_F(TorchScript, TuplesAndListsAreSeveralOutputs) {
  EXPECT_EQ(
      run("def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:\n    return (x, x + 1)\n").value().size(),
      2u);
  EXPECT_EQ(run("def forward(self, x: Tensor) -> List[Tensor]:\n    return [x, x, x]\n").value().size(), 3u);
}

TEST_F(TorchScript, OutputsThatAreNotContiguousAreMadeSo) {
  const auto outputs =
      run("def forward(self, x: Tensor) -> Tensor:\n    return x.t().contiguous().t()\n").value();
  EXPECT_EQ(outputs[0].as<float>()[1], 1.0F);
}

// Weights are constants after loading, so the layers are packed. Equal sums written as matrix products are
// not packed.
TEST_F(TorchScript, PackedLayersAndTheActivationsTheyApplyKeepTheirValues) {
  const std::string weights = R"(
def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
    n = torch.arange(65536).reshape([256, 256]) * 1.0
    v = torch.sin(n * 0.37) * 0.1
    w = torch.cos(n * 0.11) * 0.1
    b = torch.sin(torch.arange(256) * 1.0)
    x = torch.sin(torch.arange(256) * 1.0 * x.sum()).expand([3, 5, 256])
    h = torch.linear(x, v, b)
    p = torch.matmul(x, v.t()) + b
)";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"h", "p"},
      {"torch.relu(h)", "torch.clamp(p, 0)"},
      {"torch.silu(h)", "p * torch.sigmoid(p)"},
      {"torch.gelu(h, approximate=\"none\")", "0.5 * p * (1 + torch.erf(p / 1.4142135623730951))"},
      {"torch.gelu(h, approximate=\"tanh\")",
       "0.5 * p * (1 + torch.tanh(0.7978845608028654 * (p + 0.044715 * p * p * p)))"},
      {"h * torch.sigmoid(1.702 * h)", "p * torch.sigmoid(1.702 * p)"},
      {"h * torch.sigmoid(1.702 * h) + h", "p * torch.sigmoid(1.702 * p) + p"}};
  for (const auto& [layer, sums] : cases) {
    const auto outputs = run(weights + "    h = " + layer + "\n    p = " + sums + "\n" +
                             "    return (torch.linear(h, w, b), torch.matmul(p, w.t()) + b)\n")
                             .value();
    ASSERT_EQ(outputs[0].shape(), (Shape{3, 5, 256}));
    for (std::size_t i = 0; i < 3 * 5 * 256; ++i) {
      ASSERT_NEAR(outputs[0].as<float>()[i], outputs[1].as<float>()[i], 2e-5) << layer << " at " << i;
    }
  }
}

TEST_F(TorchScript, APackedConvolutionKeepsItsValuesAndItsLayoutAtEverySizeOfImage) {
  const auto backend = load(archive(R"(
def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
    w = torch.sin(torch.arange(24576) * 1.0).reshape([64, 3, 8, 16])
    b = torch.cos(torch.arange(64) * 1.0)
    y = torch.relu(torch.conv2d(x, w, b, [8, 16]))
    n = x.size(0)
    rows = x.size(2) // 8
    columns = x.size(3) // 16
    p = x.reshape([n, 3, rows, 8, columns, 16]).permute([0, 2, 4, 1, 3, 5]).reshape([n, rows * columns, 384])
    q = torch.clamp(torch.matmul(p, w.reshape([64, 384]).t()) + b, 0)
    return (y.view([n, 64 * rows * columns]), q.transpose(1, 2).reshape([n, 64 * rows * columns]))
)"))
                           .value();
  for (const std::int64_t rows : {1, 3, 7}) {
    auto input = Tensor::allocate(DType::kFp32, Shape{2, 3, 8 * rows, 32}).value();
    for (std::size_t i = 0; i < input.elements(); ++i) input.as<float>()[i] = std::sin(static_cast<float>(i));
    const auto outputs = backend->forward(std::vector<Tensor>{input}).value();
    ASSERT_EQ(outputs[0].shape(), (Shape{2, 64 * rows * 2}));
    for (std::size_t i = 0; i < outputs[0].elements(); ++i) {
      ASSERT_NEAR(outputs[0].as<float>()[i], outputs[1].as<float>()[i], 1e-4) << i;
    }
  }
}

TEST_F(TorchScript, AModuleThatThrowsIsAModelErrorOfOneLine) {
  const auto raised =
      run("def forward(self, x: Tensor) -> Tensor:\n    assert x.size(0) > 100, \"no good\"\n    return x\n");
  ASSERT_FALSE(raised);
  EXPECT_EQ(raised.error().code, ErrorCode::kModelError);
  EXPECT_EQ(raised.error().message, "no good");
  const auto mismatch = run("def forward(self, x: Tensor) -> Tensor:\n    return torch.matmul(x, x)\n");
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code, ErrorCode::kModelError);
  EXPECT_EQ(mismatch.error().message.find('\n'), std::string::npos) << mismatch.error().message;
  EXPECT_NE(mismatch.error().message.find("mat1 and mat2"), std::string::npos) << mismatch.error().message;
}

TEST_F(TorchScript, AnUnexpectedReturnValueIsAModelError) {
  EXPECT_EQ(run("def forward(self, x: Tensor) -> int:\n    return 3\n").error().message,
            "forward returned Int, expected Tensors");
  EXPECT_EQ(run("def forward(self, x: Tensor) -> Tuple[Tensor, int]:\n    return (x, 1)\n").error().message,
            "forward returned Int among its outputs");
  EXPECT_EQ(run("def forward(self, x: Tensor) -> Tensor:\n    return x.to(torch.complex(x, x).dtype)\n")
                .error()
                .code,
            ErrorCode::kModelError);
}

TEST_F(TorchScript, AForwardThatCannotBeCalledIsRefusedAtLoad) {
  EXPECT_EQ(load(archive("def forward(self, n: int) -> int:\n    return n\n")).error().message,
            "forward takes 'n' of type int, only Tensors can be given");
  const auto no_forward = load(archive("def other(self, x: Tensor) -> Tensor:\n    return x\n"));
  EXPECT_EQ(no_forward.error().message, "the module has no method named forward");
  Manifest manifest;
  manifest.inputs.resize(2);
  EXPECT_EQ(load(archive(kDouble), manifest).error().message,
            "infer.json: inputs: 2 declared, forward takes 1");
}

TEST_F(TorchScript, AWrongBatchDimensionIsAModelError) {
  const auto backend = load(archive("def forward(self, x: Tensor) -> Tensor:\n    return x.sum()\n")).value();
  EngineOptions options;
  options.warmup = Warmup::kNone;
  auto engine = Engine::create(make_model("m", backend), options).value();
  const auto response = engine.infer({Tensor::allocate(DType::kFp32, Shape{3}).value()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "the model returned the shape [] for a batch of 1");
}

TEST_F(TorchScript, AMissingFileIsNotFound) {
  std::ofstream(folder_ / "infer.json") << R"({"file": "absent.pt"})";
  fs::create_directories(folder_ / "1");
  const auto model = load_model(folder_);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kNotFound);
}

TEST_F(TorchScript, ATruncatedFileIsAnErrorAtEveryLength) {
  const Bytes whole = archive(kDouble);
  for (std::size_t length = 0; length < whole.size() - 1; length += 61) {
    const auto backend = load(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
    ASSERT_FALSE(backend) << length;
    EXPECT_EQ(backend.error().code, ErrorCode::kModelError);
    EXPECT_EQ(backend.error().message.find('\n'), std::string::npos);
  }
}

TEST_F(TorchScript, ACorruptFileIsAnError) {
  Bytes bytes = archive(kDouble);
  // Changes each occurrence of a byte of the code, which the archive's checksum must detect.
  for (std::size_t i = 0; i + 4 < bytes.size(); ++i) {
    if (std::memcmp(bytes.data() + i, "torch.mul", 4) == 0) bytes[i] = 'T';
  }
  const auto backend = load(bytes);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, ErrorCode::kModelError);
  EXPECT_EQ(load(Bytes{'n', 'o', ' ', 'z', 'i', 'p'}).error().code, ErrorCode::kModelError);
}

void patch32(Bytes& bytes, std::size_t at, std::uint32_t value) { std::memcpy(bytes.data() + at, &value, 4); }

TEST_F(TorchScript, AnArchiveOfALaterVersionIsRefusedByName) {
  Bytes bytes = archive(kDouble);
  // Rewrites the record .../version of the zip file and its checksums in the local and central headers.
  bool patched = false;
  for (std::size_t at = 0; at + 46 < bytes.size(); ++at) {
    const bool local = std::memcmp(bytes.data() + at, "PK\x03\x04", 4) == 0;
    const bool central = std::memcmp(bytes.data() + at, "PK\x01\x02", 4) == 0;
    if (!local && !central) continue;
    const std::size_t header = local ? 30 : 46;
    const auto u16 = [&](std::size_t offset) {
      return static_cast<std::size_t>(bytes[at + offset] | bytes[at + offset + 1] << 8);
    };
    const std::size_t name_length = u16(local ? 26 : 28);
    const std::string name(reinterpret_cast<const char*>(bytes.data() + at + header), name_length);
    if (!name.ends_with("/version")) continue;
    static std::uint32_t crc = 0;
    if (local) {
      const std::size_t content = at + header + name_length + u16(28);
      bytes[content] = bytes[content + 1] = '9';  // one digit and a line break become 99
      std::uint32_t size = 0;
      std::memcpy(&size, bytes.data() + at + 22, 4);
      if (size == 0 || size > 8) size = 2;  // the size is in a data descriptor: "N\n"
      crc = static_cast<std::uint32_t>(crc32(0, bytes.data() + content, size));
      patch32(bytes, at + 14, crc);
      std::size_t descriptor = content + size;
      if (std::memcmp(bytes.data() + descriptor, "PK\x07\x08", 4) == 0) patch32(bytes, descriptor + 4, crc);
    } else {
      patch32(bytes, at + 16, crc);
      patched = true;
    }
  }
  ASSERT_TRUE(patched);
  const auto backend = load(bytes);
  if (!backend) {
    EXPECT_EQ(backend.error().code, ErrorCode::kModelError);
    EXPECT_NE(backend.error().message.find("version"), std::string::npos) << backend.error().message;
  } else {
    ADD_FAILURE() << "version 99 was accepted";
  }
}

TEST_F(TorchScript, AMissingDeviceIsAFailedPrecondition) {
  const Bytes bytes = archive(kDouble);
  LoadOptions options;
  options.device = "cuda:99";
  const auto backend = load_torchscript(std::as_bytes(std::span(bytes)), {}, options);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, ErrorCode::kFailedPrecondition);
  options.device = "tpu";
  EXPECT_EQ(load_torchscript(std::as_bytes(std::span(bytes)), {}, options).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(TorchScript, SamplesOfDifferentShapesShareNoBatchAndAllSucceed) {
  const auto backend = load(archive(kDouble)).value();
  auto engine = Engine::create(make_model("m", backend)).value();
  std::vector<Pending> pending;
  for (int i = 0; i < 40; ++i) {
    auto tensor = Tensor::allocate(DType::kFp32, Shape{1 + i % 3}).value();
    for (float& value : tensor.as<float>()) value = static_cast<float>(i);
    pending.push_back(engine.submit(Sample{tensor}).value());
  }
  for (int i = 0; i < 40; ++i) {
    const auto response = pending[static_cast<std::size_t>(i)].get().value();
    EXPECT_EQ(response.outputs[0].shape(), Shape{1 + i % 3});
    EXPECT_EQ(response.outputs[0].as<float>()[0], static_cast<float>(2 * i));
  }
}

}  // namespace
}  // namespace infer
