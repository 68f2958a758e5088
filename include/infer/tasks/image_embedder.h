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

class Helpers;

/// Encoded JPEG or PNG bytes; the caller keeps them until the call returns.
using EncodedImage = std::span<const std::uint8_t>;

/// Unit vectors in the order of the images, and where the time went.
struct Embeddings {
  std::vector<std::vector<float>> vectors;
  Timings timings;             ///< Of the slowest image.
  std::size_t batch_size = 0;  ///< The largest batch that one of the images was part of.
};

/// Photographs in, unit vectors out. Thread-safe: call it from as many threads as you like, it batches across
/// them.
///
/// Decoding and resizing run in the calling thread, the model on the engine's workers. Several images of one
/// call are also decoded on threads of its own, of which there are one fewer than `ThreadPlan::usable_cores`
/// for all calls together. Decoding ends early, within milliseconds, at a request's deadline and when its
/// stop token is triggered. Where the limits have a budget, each image waits for its memory and gives it back
/// before anything else is waited for.
class INFER_EXPORT ImageEmbedder {
 public:
  /// Loads models/NAME and warms it up; blocking. Errors: those of `open_engine` and `create`.
  static Result<ImageEmbedder> open(const std::filesystem::path& directory, const OpenOptions& options = {},
                                    const DecodeLimits& limits = {});
  /// Uses an engine that others may use too. Errors: `kInvalidArgument` unless its model takes one FP32
  /// [3,n,n] image and gives one FP32 vector.
  static Result<ImageEmbedder> create(std::shared_ptr<Engine> engine, const DecodeLimits& limits = {});

  /// Embeds one image; blocks until it is done. The vector has `dim()` elements and Euclidean length 1.
  /// Errors: those of `decode_image`, `kModelError` (also for an answer that is not finite), and those of
  /// `Engine::submit`.
  Result<std::vector<float>> embed(EncodedImage image, const RequestOptions& options = {}) const;

  /// The same for an image that is decoded already.
  Result<std::vector<float>> embed(const Image& image, const RequestOptions& options = {}) const;
  /// Embeds several images as one request: all or an error that names the first bad one ("images[2]: ...").
  /// Blocks. A permit taken earlier, before the bytes were parsed, may be passed on; else one is taken.
  Result<Embeddings> embed_many(std::span<const EncodedImage> images, const RequestOptions& options = {},
                                Permit permit = {}) const;

  /// Decodes in the calling thread, then returns; `done` is called once with the vector, on a worker thread,
  /// and must not throw or block. If this returns an error, `done` is not called.
  Result<void> embed_async(EncodedImage image, const RequestOptions& options,
                           std::function<void(Result<std::vector<float>>&&)> done) const;

  /// The same for an image that is decoded already, which is not kept.
  Result<void> embed_async(const Image& image, const RequestOptions& options,
                           std::function<void(Result<std::vector<float>>&&)> done) const;

  /// What the model gets for an image: FP32 [3,n,n]. Blocks. Errors: those of `decode_image`.
  Result<Sample> prepare(EncodedImage bytes, const RequestOptions& options = {}) const;

  std::size_t dim() const noexcept { return dim_; }
  Engine& engine() const noexcept { return *engine_; }

 private:
  ImageEmbedder(std::shared_ptr<Engine> engine, const DecodeLimits& limits, const ImagePreprocess& preprocess,
                std::size_t dim);

  Result<Sample> prepare(const Image& image) const;
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
