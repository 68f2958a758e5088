#include "infer/tasks/image_embedder.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "helpers.h"
#include "infer/image/preprocess.h"
#include "recorded.h"
#include "rows.h"
#include "run_many.h"
#include "vectors.h"

namespace infer::inline v0 {
namespace {

const std::string& output_name(const Engine& engine) {
  return engine.model().backend->signature().outputs.front().name;
}

}  // namespace

Result<ImageEmbedder> ImageEmbedder::open(const std::filesystem::path& directory, const OpenOptions& options,
                                          const DecodeLimits& limits) {
  auto engine = open_engine(directory, options);
  if (!engine) return Unexpected(engine.error());
  return create(std::make_shared<Engine>(*std::move(engine)), limits);
}

ImageEmbedder::ImageEmbedder(std::shared_ptr<Engine> engine, const DecodeLimits& limits,
                             const ImagePreprocess& preprocess, std::size_t dim)
    : engine_(std::move(engine)),
      helpers_(
          std::make_shared<Helpers>(std::max<std::size_t>(1, engine_->options().threads.usable_cores) - 1)),
      limits_(limits),
      preprocess_(preprocess),
      dim_(dim) {}

Result<ImageEmbedder> ImageEmbedder::create(std::shared_ptr<Engine> engine, const DecodeLimits& limits) {
  const Model& model = engine->model();
  const ModelSignature& signature = model.backend->signature();
  ImagePreprocess preprocess = model.manifest.preprocess.value_or(ImagePreprocess{});
  if (signature.inputs.size() != 1 || signature.outputs.size() != 1) {
    return fail(ErrorCode::kInvalidArgument,
                model.name + ": an image embedder must have one input and one output");
  }
  const TensorSpec& input = signature.inputs.front();
  const TensorSpec& output = signature.outputs.front();
  if (!model.manifest.preprocess && !input.any_rank && input.shape.rank() == 3 && input.shape[2] > 0) {
    preprocess.size = static_cast<std::size_t>(input.shape[2]);
  }
  const auto size = static_cast<std::int64_t>(preprocess.size);
  if (input.dtype != DType::kFp32 || (!input.any_rank && !(input.shape == Shape{3, size, size}))) {
    return fail(ErrorCode::kInvalidArgument,
                model.name + ": " + input.name + ": an image embedder must take FP32 " +
                    Shape{3, size, size}.text() + ", this model takes " + input.shape.text());
  }
  if (output.dtype != DType::kFp32 || output.shape.rank() != 1 || output.shape[0] <= 0) {
    return fail(ErrorCode::kInvalidArgument,
                model.name + ": " + output.name +
                    ": an image embedder must return one FP32 vector, this model returns " +
                    output.shape.text());
  }
  return ImageEmbedder(std::move(engine), limits, preprocess, static_cast<std::size_t>(output.shape[0]));
}

Result<Sample> ImageEmbedder::prepare(EncodedImage bytes, const RequestOptions& options) const {
  const TimePoint start = std::chrono::steady_clock::now();
  auto image = decode_image(bytes, limits_, {options.deadline, options.stop, &engine_->clock()});
  if (!image) return Unexpected(image.error());
  auto sample = prepare(*image);
  engine_->prepare_seconds().observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return sample;
}

Result<Sample> ImageEmbedder::prepare(const Image& image) const {
  const auto size = static_cast<std::int64_t>(preprocess_.size);
  auto tensor = engine_->buffers().tensor(DType::kFp32, Shape{3, size, size});
  if (!tensor) return Unexpected(tensor.error());
  preprocess_image(image, preprocess_, tensor->as<float>());
  Sample sample;
  sample.push_back(*std::move(tensor));
  return sample;
}

Result<std::vector<float>> ImageEmbedder::finish(std::string_view model, std::string_view output,
                                                 const Response& response) {
  const auto values = response.outputs.front().as<float>();
  if (auto finite = check_finite(model, output, values); !finite) return Unexpected(finite.error());
  std::vector<float> vector(values.begin(), values.end());
  normalise(vector);
  return vector;
}

Result<std::vector<float>> ImageEmbedder::embed(EncodedImage image, const RequestOptions& options) const {
  try {
    auto permit = engine_->try_admit();
    if (!permit) return Unexpected(permit.error());
    return run(prepare(image, options), *std::move(permit), options);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<std::vector<float>> ImageEmbedder::embed(const Image& image, const RequestOptions& options) const {
  try {
    auto permit = engine_->try_admit();
    if (!permit) return Unexpected(permit.error());
    return run(prepare(image), *std::move(permit), options);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<std::vector<float>> ImageEmbedder::run(Result<Sample> sample, Permit permit,
                                              const RequestOptions& options) const {
  if (!sample) return Unexpected(sample.error());
  auto response = engine_->infer(*std::move(sample), {options.deadline, options.stop, {}}, std::move(permit));
  if (!response) return Unexpected(response.error());
  return finish(engine_->model().name, output_name(*engine_), *response);
}

Result<Embeddings> ImageEmbedder::embed_many(std::span<const EncodedImage> images,
                                             const RequestOptions& options, Permit permit) const {
  try {
    Embeddings result;
    result.vectors.reserve(images.size());
    std::vector<Result<Sample>> prepared(images.size(), Sample());
    std::size_t ahead = 0;  // number of images prepared so far
    const auto prepare_part = [&](std::size_t i) noexcept {
      try {
        prepared[i] = prepare(images[i], options);
      } catch (const std::bad_alloc&) {
        prepared[i] = Unexpected(out_of_memory());
      }
    };
    const auto timings = run_many(
        *engine_, "images", images.size(), options, std::move(permit),
        [&](std::size_t i) -> Result<PreparedSample> {
          if (i == ahead) ahead = helpers_->some(i, images.size(), prepare_part);
          if (!prepared[i]) return Unexpected(std::move(prepared[i].error()));
          return PreparedSample{*std::move(prepared[i])};
        },
        [&](std::size_t, const Response& response) -> Result<void> {
          auto vector = finish(engine_->model().name, output_name(*engine_), response);
          if (!vector) return Unexpected(std::move(vector.error()));
          result.vectors.push_back(*std::move(vector));
          return {};
        });
    return with_timings(std::move(result), timings);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<void> ImageEmbedder::embed_async(EncodedImage image, const RequestOptions& options,
                                        std::function<void(Result<std::vector<float>>&&)> done) const {
  try {
    auto permit = engine_->try_admit();
    if (!permit) return Unexpected(permit.error());
    return start(prepare(image, options), *std::move(permit), options, std::move(done));
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
  submit.callback = [done = std::move(done), model = engine_->model().name,
                     output = output_name(*engine_)](Result<Response>&& response) {
    if (!response) {
      done(Unexpected(std::move(response.error())));
      return;
    }
    try {
      done(finish(model, output, *response));
    } catch (const std::bad_alloc&) {
      done(Unexpected(out_of_memory()));
    }
  };
  auto pending = engine_->submit(*std::move(sample), std::move(submit), std::move(permit));
  if (!pending) return Unexpected(pending.error());
  return {};
}

namespace {

class ImageEmbeddingModel final : public TaskModel {
 public:
  ImageEmbeddingModel(std::shared_ptr<Engine> engine, ImageEmbedder embedder)
      : TaskModel(std::move(engine), TaskInput::kImage), embedder_(std::move(embedder)) {}

  Result<Sample> prepare_image(EncodedImage image, const RequestOptions& options) const override {
    return embedder_.prepare(image, options);
  }
  Result<std::vector<float>> answer(std::string_view image) const override {
    return embedder_.embed(EncodedImage{reinterpret_cast<const std::uint8_t*>(image.data()), image.size()});
  }
  std::size_t recorded() const noexcept override { return kRecordedImages; }
  Result<std::vector<std::vector<float>>> recorded_answer(std::size_t index) const override {
    auto sample = embedder_.prepare(recorded_image(index));
    if (!sample) return Unexpected(sample.error());
    auto response = engine()->infer(*std::move(sample));
    if (!response) return Unexpected(response.error());
    return values_of(*response);
  }

 protected:
  const void* find(const std::type_info& type) const noexcept override {
    return type == typeid(ImageEmbedder) ? &embedder_ : nullptr;
  }

 private:
  const ImageEmbedder embedder_;
};

}  // namespace

TaskRow image_embedding_task() noexcept {
  return {
      "image-embedding", TaskInput::kImage,
      [](std::shared_ptr<Engine> engine, const TaskOptions& options) -> Result<std::unique_ptr<TaskModel>> {
        auto embedder = ImageEmbedder::create(engine, options.decode);
        if (!embedder) return Unexpected(embedder.error());
        return std::make_unique<ImageEmbeddingModel>(std::move(engine), *std::move(embedder));
      },
      same_signature};
}

}  // namespace infer::inline v0
