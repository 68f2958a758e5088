#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/export.h"
#include "infer/image/decode.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// Threads that decode the images of one call in parallel.
class Helpers;

/// The bytes of a JPEG or PNG file; the caller keeps them valid until the call returns.
using EncodedImage = std::span<const std::uint8_t>;

/// The vectors of several images.
struct Embeddings {
  std::vector<std::vector<float>> vectors;  ///< One vector of Euclidean length 1 for each image, in order.
  Timings timings;                          ///< Times of the slowest image.
  std::size_t batch_size = 0;               ///< The largest batch that contained one of the images.
};

/// Turns photographs into vectors of Euclidean length 1.
///
/// Thread-safe: call it from any number of threads; the engine batches across them. Decoding and resizing run
/// in the calling thread, the model on the engine's workers. `embed_many` also decodes on threads of the
/// embedder's own: one fewer than `ThreadPlan::usable_cores`, for all calls together. Decoding stops within
/// milliseconds at a request's deadline and when its stop token is triggered. If the limits have a budget,
/// each image waits for its memory, and returns the memory before the call waits for anything else. Cheap to
/// copy; copies share the engine.
class INFER_EXPORT ImageEmbedder {
 public:
  /// Loads models/NAME and warms it up; blocking.
  ///
  /// Errors: those of `open_engine` and `create`.
  static Result<ImageEmbedder> open(const std::filesystem::path& directory, const OpenOptions& options = {},
                                    const DecodeLimits& limits = {});
  /// Uses an engine that others may use too; its model must take one FP32 [3,n,n] image and give one FP32
  /// vector.
  ///
  /// Errors: `kInvalidArgument` (the model's signature does not fit).
  static Result<ImageEmbedder> create(std::shared_ptr<Engine> engine, const DecodeLimits& limits = {});

  /// Embeds one image; blocks until the vector is there.
  ///
  /// The vector has `dim()` elements and Euclidean length 1.
  ///
  /// Errors: those of `decode_image`, `kModelError` (also for an output that is not finite), and those of
  /// `Engine::submit`.
  Result<std::vector<float>> embed(EncodedImage image, const RequestOptions& options = {}) const;

  /// Embeds one decoded image; blocks until the vector is there.
  ///
  /// Errors: those of the other `embed`, decoding excepted.
  Result<std::vector<float>> embed(const Image& image, const RequestOptions& options = {}) const;
  /// Embeds several images as one request: gives all vectors, or an error that names the first bad image.
  ///
  /// The message begins with the image's index, such as "images[2]: ...". Blocks until all vectors are there.
  /// A caller that took a permit before it parsed the bytes passes it on; otherwise the call takes one.
  ///
  /// Errors: those of `embed`.
  Result<Embeddings> embed_many(std::span<const EncodedImage> images, const RequestOptions& options = {},
                                Permit permit = {}) const;

  /// Decodes in the calling thread, then returns; `done` receives the vector later.
  ///
  /// The engine calls `done` exactly once, from a worker, its timer thread, or the thread that drains or
  /// destroys the engine; `done` must not throw or block. If the call returns an error, nobody calls `done`.
  ///
  /// Errors: `kInvalidArgument` (undecodable; `kTooLarge` over a limit), and those of `Engine::submit`.
  Result<void> embed_async(EncodedImage image, const RequestOptions& options,
                           std::function<void(Result<std::vector<float>>&&)> done) const;

  /// Starts to embed a decoded image, which the call does not keep; `done` receives the vector later.
  ///
  /// Errors: those of the other `embed_async`, decoding excepted.
  Result<void> embed_async(const Image& image, const RequestOptions& options,
                           std::function<void(Result<std::vector<float>>&&)> done) const;

  /// Returns the model's input for an image: FP32 [3,n,n]. Blocks.
  ///
  /// Errors: those of `decode_image`.
  Result<Sample> prepare(EncodedImage bytes, const RequestOptions& options = {}) const;
  /// Returns the model's input for a decoded image: FP32 [3,n,n]. Blocks.
  ///
  /// Errors: `kOutOfMemory`.
  Result<Sample> prepare(const Image& image) const;

  /// Returns the number of elements of a vector.
  std::size_t dim() const noexcept { return dim_; }
  /// Returns the engine, for its clock, statistics and drain; valid as long as the embedder.
  Engine& engine() const noexcept { return *engine_; }

 private:
  ImageEmbedder(std::shared_ptr<Engine> engine, const DecodeLimits& limits, const ImagePreprocess& preprocess,
                std::size_t dim);

  Result<std::vector<float>> run(Result<Sample> sample, Permit permit, const RequestOptions& options) const;
  Result<void> start(Result<Sample> sample, Permit permit, const RequestOptions& options,
                     std::function<void(Result<std::vector<float>>&&)> done) const;
  static Result<std::vector<float>> finish(std::string_view model, std::string_view output,
                                           const Response& response);

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Helpers> helpers_;
  DecodeLimits limits_;
  ImagePreprocess preprocess_;
  std::size_t dim_;
};

}  // namespace infer::inline v0
