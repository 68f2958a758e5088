// Sends samples of hostile shapes through an engine that echoes them, in one batch if they may share one.
// Each sample must get its own bytes back, or an error with a reason.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "infer/engine/engine.h"
#include "infer/testing/scripted_backend.h"

namespace {

using infer::DType;
using infer::Shape;
using infer::Tensor;

/// Returns the bytes of the input, and zeros after its end.
class Source {
 public:
  explicit Source(std::span<const std::uint8_t> data) : data_(data) {}
  bool empty() const { return data_.empty(); }
  std::uint8_t byte() {
    if (data_.empty()) return 0;
    const std::uint8_t first = data_.front();
    data_ = data_.subspan(1);
    return first;
  }
  std::int64_t dim() {
    constexpr std::int64_t kHostile[] = {-1,
                                         0,
                                         65'535,
                                         65'536,
                                         1'099'511'693'773,
                                         std::int64_t{1} << 31,
                                         std::int64_t{1} << 32,
                                         INT64_MAX,
                                         INT64_MIN,
                                         3,
                                         1,
                                         2};
    const std::uint8_t kind = byte();
    if (kind < 128) return kind % 8;
    if (kind < 250) return kHostile[kind % std::size(kHostile)];
    std::uint64_t any = 0;
    for (int i = 0; i < 8; ++i) any = any << 8 | byte();
    return static_cast<std::int64_t>(any);
  }

 private:
  std::span<const std::uint8_t> data_;
};

/// Without memory for shapes that no client could send, the engine must check the shape before the bytes.
Tensor make_tensor(Source& source, DType dtype, int mark) {
  std::vector<std::int64_t> dims(source.byte() % (Shape::kMaxRank + 1));
  for (auto& dim : dims) dim = source.dim();
  const Shape shape(dims);
  constexpr std::size_t kSmall = std::size_t{1} << 20;
  const std::size_t bytes = infer::byte_size(dtype, shape);
  static std::byte nothing[64];
  if (bytes > kSmall) return Tensor::wrap(dtype, shape, nullptr, nothing);
  auto tensor = Tensor::allocate(dtype, shape).value();
  if (bytes > 0) std::memset(tensor.data(), mark, bytes);
  return tensor;
}

void expect_own(const Tensor& output, const Shape& shape, int mark) {
  if (output.shape() != shape) std::abort();
  for (std::size_t i = 0; i < output.bytes(); ++i) {
    if (output.data()[i] != static_cast<std::byte>(mark)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr DType kTypes[] = {DType::kFp32, DType::kUint8};
  Source source({data, size});
  infer::testing::ScriptedOptions script;
  script.signature.inputs = {{"a", kTypes[0], {}, true}, {"b", kTypes[1], {}, true}};
  script.signature.outputs = script.signature.inputs;
  infer::EngineOptions options;
  options.warmup = infer::Warmup::kNone;
  options.batch.max_queue_delay = std::chrono::hours(1);  // runs only for a drain or a full batch
  options.batch.max_queue_bytes = std::size_t{1} << 20;
  auto backend = infer::testing::make_scripted_backend(script).value();
  auto engine = infer::Engine::create(infer::make_model("echo", std::move(backend)), options).value();
  struct Sent {
    std::vector<Shape> shapes;
    int mark;
    infer::Pending pending;
  };
  std::vector<Sent> sent;
  for (int mark = 1; mark <= 24 && !source.empty(); ++mark) {
    infer::Sample sample;
    std::vector<Shape> shapes;
    for (const DType dtype : kTypes) {
      sample.push_back(make_tensor(source, dtype, mark));
      shapes.push_back(sample.back().shape());
    }
    auto pending = engine.submit(std::move(sample));
    if (pending) {
      sent.push_back({std::move(shapes), mark, *std::move(pending)});
    } else if (pending.error().message.empty()) {
      std::abort();
    }
  }
  if (!engine.drain(std::chrono::minutes(1)).in_time) std::abort();
  for (Sent& one : sent) {
    auto response = one.pending.get();
    if (!response || response->outputs.size() != one.shapes.size()) std::abort();
    for (std::size_t i = 0; i < one.shapes.size(); ++i)
      expect_own(response->outputs[i], one.shapes[i], one.mark);
  }
  return 0;
}
