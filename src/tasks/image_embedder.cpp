#include "infer/tasks/image_embedder.h"

#include <cmath>
#include <deque>
#include <new>
#include <string>
#include <utility>

#include "infer/image/preprocess.h"

namespace infer::inline v0 {
namespace {

/// Scales to Euclidean length 1; a vector of zeros stays as it is. Sums in double, as 512 squares of float
/// lose digits.
void normalise(std::span<float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  if (!(sum > 0)) return;
  const auto scale = static_cast<float>(1.0 / std::sqrt(sum));
  for (float& value : vector) value *= scale;
}

Unexpected at_image(std::size_t index, Error error) {
  return Unexpected(
      Error{error.code, "images[" + std::to_string(index) + "]: " + error.message, error.detail});
}

}  // namespace

Result<ImageEmbedder> ImageEmbedder::open(const std::filesystem::path& directory, const OpenOptions& options,
                                          const DecodeLimits& limits) {
  auto engine = open_engine(directory, options);
  if (!engine) return Unexpected(engine.error());
  return create(std::make_shared<Engine>(*std::move(engine)), limits);
}

Result<ImageEmbedder> ImageEmbedder::create(std::shared_ptr<Engine> engine, const DecodeLimits& limits) {
  const Model& model = engine->model();
  const ModelSignature& signature = model.backend->signature();
  ImagePreprocess preprocess = model.manifest.preprocess.value_or(ImagePreprocess{});
  if (signature.inputs.size() != 1 || signature.outputs.size() != 1) {
    return fail(ErrorCode::kInvalidArgument, model.name + ": an image embedder has one input and one output");
  }
  const TensorSpec& input = signature.inputs.front();
  const TensorSpec& output = signature.outputs.front();
  if (!model.manifest.preprocess && !input.any_rank && input.shape.rank() == 3 && input.shape[2] > 0) {
    preprocess.size = static_cast<std::size_t>(input.shape[2]);
  }
  const auto size = static_cast<std::int64_t>(preprocess.size);
  if (input.dtype != DType::kFp32 || (!input.any_rank && !(input.shape == Shape{3, size, size}))) {
    return fail(ErrorCode::kInvalidArgument,
                model.name + ": " + input.name + ": an image embedder takes FP32 " +
                    Shape{3, size, size}.text() + ", the model " + input.shape.text());
  }
  if (output.dtype != DType::kFp32 || output.shape.rank() != 1 || output.shape[0] <= 0) {
    return fail(ErrorCode::kInvalidArgument, model.name + ": " + output.name +
                                                 ": an image embedder gives one FP32 vector, the model " +
                                                 output.shape.text());
  }
  return ImageEmbedder(std::move(engine), limits, preprocess, static_cast<std::size_t>(output.shape[0]));
}

Result<Sample> ImageEmbedder::prepare(EncodedImage bytes) const {
  const TimePoint start = std::chrono::steady_clock::now();
  auto image = decode_image(bytes, limits_);
  if (!image) return Unexpected(image.error());
  auto sample = prepare(*image);
  engine_->prepare_seconds().observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return sample;
}

Result<Sample> ImageEmbedder::prepare(const Image& image) const {
  const auto size = static_cast<std::int64_t>(preprocess_.size);
  auto tensor = Tensor::allocate(DType::kFp32, Shape{3, size, size});
  if (!tensor) return Unexpected(tensor.error());
  preprocess_image(image, preprocess_, tensor->as<float>());
  Sample sample;
  sample.push_back(*std::move(tensor));
  return sample;
}

std::vector<float> ImageEmbedder::finish(const Response& response) {
  const auto values = response.outputs.front().as<float>();
  std::vector<float> vector(values.begin(), values.end());
  normalise(vector);
  return vector;
}

Result<std::vector<float>> ImageEmbedder::embed(EncodedImage image, const RequestOptions& options) const {
  try {
    auto permit = engine_->try_admit();
    if (!permit) return Unexpected(permit.error());
    auto sample = prepare(image);
    if (!sample) return Unexpected(sample.error());
    auto response =
        engine_->infer(*std::move(sample), {options.deadline, options.stop, {}}, *std::move(permit));
    if (!response) return Unexpected(response.error());
    return finish(*response);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<Embeddings> ImageEmbedder::embed_many(std::span<const EncodedImage> images,
                                             const RequestOptions& options, Permit permit) const {
  try {
    if (!permit) {
      auto own = engine_->try_admit();
      if (!own) return Unexpected(own.error());
      permit = *std::move(own);
    }
    // Whatever ends this request early also takes its queued images back.
    std::stop_source abandon;
    const std::stop_callback forward_stop(options.stop, [&] { abandon.request_stop(); });
    struct AbandonOnExit {
      std::stop_source& source;
      ~AbandonOnExit() { source.request_stop(); }
    } const abandon_on_exit{abandon};

    Embeddings result;
    result.vectors.reserve(images.size());
    std::deque<Pending> outstanding;
    const auto collect_one = [&]() -> Result<void> {
      auto response = outstanding.front().get();
      outstanding.pop_front();
      if (!response) return at_image(result.vectors.size(), std::move(response.error()));
      result.vectors.push_back(finish(*response));
      result.timings.queue = std::max(result.timings.queue, response->timings.queue);
      result.timings.compute = std::max(result.timings.compute, response->timings.compute);
      result.batch_size = std::max(result.batch_size, response->batch_size);
      return {};
    };
    // Decode ahead of the workers, but only so far: memory stays bounded, whatever a request holds.
    const std::size_t window = 2 * engine_->options().batch.max_batch_size;
    for (std::size_t i = 0; i < images.size(); ++i) {
      auto sample = prepare(images[i]);
      if (!sample) return at_image(i, std::move(sample.error()));
      while (true) {
        if (outstanding.size() >= window) {
          if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
        }
        SubmitOptions submit{options.deadline, abandon.get_token(), {}};
        // NOLINTNEXTLINE(bugprone-use-after-move): a refused sample is still ours
        auto pending = engine_->submit(*std::move(sample), std::move(submit), permit);
        if (pending) {
          outstanding.push_back(*std::move(pending));
          break;
        }
        // A full queue refuses a request at its first image only; one under way waits for its own images
        // instead.
        if (pending.error().code != ErrorCode::kOverloaded || outstanding.empty()) {
          return i == 0 ? Unexpected(pending.error()) : at_image(i, std::move(pending.error()));
        }
        if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
      }
    }
    while (!outstanding.empty()) {
      if (auto collected = collect_one(); !collected) return Unexpected(collected.error());
    }
    return result;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<void> ImageEmbedder::embed_async(EncodedImage image, const RequestOptions& options,
                                        std::function<void(Result<std::vector<float>>&&)> done) const {
  try {
    auto permit = engine_->try_admit();
    if (!permit) return Unexpected(permit.error());
    return start(prepare(image), *std::move(permit), options, std::move(done));
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<void> ImageEmbedder::embed_async(const Image& image, const RequestOptions& options,
                                        std::function<void(Result<std::vector<float>>&&)> done) const {
  try {
    auto permit = engine_->try_admit();
    if (!permit) return Unexpected(permit.error());
    return start(prepare(image), *std::move(permit), options, std::move(done));
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<void> ImageEmbedder::start(Result<Sample> sample, Permit permit, const RequestOptions& options,
                                  std::function<void(Result<std::vector<float>>&&)> done) const {
  if (!sample) return Unexpected(sample.error());
  SubmitOptions submit{options.deadline, options.stop, {}};
  submit.callback = [done = std::move(done)](Result<Response>&& response) {
    if (!response) {
      done(Unexpected(std::move(response.error())));
      return;
    }
    try {
      done(finish(*response));
    } catch (const std::bad_alloc&) {
      done(Unexpected(out_of_memory()));
    }
  };
  auto pending = engine_->submit(*std::move(sample), std::move(submit), std::move(permit));
  if (!pending) return Unexpected(pending.error());
  return {};
}

}  // namespace infer::inline v0
