#include "infer/c.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "infer/core/result.h"
#include "infer/engine/open.h"
#include "infer/tasks/image_embedder.h"
#include "infer/version.h"

using infer::Error;
using infer::ErrorCode;
using infer::Result;

struct infer_error {
  std::string message;
};
struct infer_embedder {
  infer::ImageEmbedder embedder;
};
struct infer_engine {
  infer::Engine engine;
};
struct infer_response {
  infer::Response response;
};

static_assert(INFER_FP64 == static_cast<int>(infer::DType::kFp64),
              "the dtypes of both headers are in one order");
static_assert(INFER_INTERNAL == static_cast<int>(ErrorCode::kInternal) + 1,
              "the codes of both headers are in one order, after INFER_OK");

namespace {

infer_code report(const Error& failure, infer_error** error) noexcept {
  if (error != nullptr) {
    *error = nullptr;
    try {
      *error = new infer_error{failure.message};
    } catch (const std::bad_alloc&) {  // without memory for a message, the caller gets only the code
    }
  }
  return static_cast<infer_code>(static_cast<int>(failure.code) + 1);
}

/// Runs `body`, which returns a Result<void>, and turns exceptions into codes.
template <class Body>
infer_code guarded(infer_error** error, Body body) noexcept {
  try {
    Result<void> result = body();
    if (result) return INFER_OK;
    return report(result.error(), error);
  } catch (const std::bad_alloc&) {
    return report(infer::out_of_memory(), error);
  } catch (const std::exception& e) {
    try {
      return report({ErrorCode::kInternal, e.what(), {}}, error);
    } catch (...) {
      return INFER_INTERNAL;
    }
  } catch (...) {
    return INFER_INTERNAL;
  }
}

infer::Unexpected null(const char* argument) {
  return infer::fail(ErrorCode::kInvalidArgument, std::string(argument) + ": is NULL");
}

infer::OpenOptions open_options(const infer_options* options) {
  infer::OpenOptions out;
  if (options == nullptr) return out;
  if (options->device != nullptr) out.device = options->device;
  out.workers = options->workers;
  out.intra_op_threads = options->intra_op_threads;
  if (options->max_batch_size != 0) out.max_batch_size = options->max_batch_size;
  if (options->max_inflight != 0) out.max_inflight = options->max_inflight;
  return out;
}

infer::TimePoint deadline(std::int64_t timeout_ms) {
  // Longer timeouts than 30 years could overflow and mean no bound.
  constexpr std::int64_t kForever = 946'080'000'000;
  if (timeout_ms < 0 || timeout_ms > kForever) return infer::kNever;
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
}

Result<infer::Tensor> copy(const infer_tensor& view, std::size_t index) {
  const std::string name = "inputs[" + std::to_string(index) + "]";
  if (view.dtype < INFER_BOOL || view.dtype > INFER_FP64)
    return infer::fail(ErrorCode::kInvalidArgument,
                       name + ": dtype " + std::to_string(view.dtype) + " is not an infer_dtype");
  if (view.rank > infer::Shape::kMaxRank)
    return infer::fail(ErrorCode::kInvalidArgument,
                       name + ": rank " + std::to_string(view.rank) + " exceeds 8");
  if ((view.rank > 0 && view.dims == nullptr) || view.data == nullptr) return null(name.c_str());
  for (std::size_t axis = 0; axis < view.rank; ++axis) {
    if (view.dims[axis] < 0)
      return infer::fail(ErrorCode::kInvalidArgument, name + ": dims[" + std::to_string(axis) + "]: " +
                                                          std::to_string(view.dims[axis]) + " is negative");
  }
  const infer::Shape shape(std::span(view.dims, view.rank));
  auto tensor = infer::Tensor::allocate(static_cast<infer::DType>(view.dtype), shape);
  if (tensor) std::memcpy(tensor->data(), view.data, tensor->bytes());
  return tensor;
}

}  // namespace

extern "C" {

const char* infer_version(void) { return INFER_VERSION; }

const char* infer_code_name(infer_code code) {
  if (code == INFER_OK) return "Ok";
  return infer::to_string(static_cast<ErrorCode>(code - 1)).data();  // a literal ends with a zero
}

const char* infer_error_message(const infer_error* error) {
  return error != nullptr ? error->message.c_str() : "out of memory";
}

void infer_error_free(infer_error* error) { delete error; }

infer_code infer_embedder_open(const char* directory, const infer_options* options, infer_embedder** out,
                               infer_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (directory == nullptr) return null("directory");
    if (out == nullptr) return null("out");
    auto opened = infer::ImageEmbedder::open(directory, open_options(options));
    if (!opened) return infer::Unexpected(opened.error());
    *out = new infer_embedder{*std::move(opened)};
    return {};
  });
}

void infer_embedder_free(infer_embedder* embedder) { delete embedder; }

size_t infer_embedder_dim(const infer_embedder* embedder) { return embedder->embedder.dim(); }

infer_code infer_embedder_embed(const infer_embedder* embedder, const uint8_t* image, size_t size,
                                float* vector, size_t length, int64_t timeout_ms, infer_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (embedder == nullptr) return null("embedder");
    if (image == nullptr) return null("image");
    if (vector == nullptr) return null("vector");
    const std::size_t dim = embedder->embedder.dim();
    if (length < dim) {
      return infer::fail(
          ErrorCode::kInvalidArgument,
          "length: " + std::to_string(length) + " is less than the vector's " + std::to_string(dim));
    }
    auto result = embedder->embedder.embed({image, size}, {deadline(timeout_ms), {}});
    if (!result) return infer::Unexpected(result.error());
    std::copy(result->begin(), result->end(), vector);
    return {};
  });
}

infer_code infer_engine_open(const char* directory, const infer_options* options, infer_engine** out,
                             infer_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (directory == nullptr) return null("directory");
    if (out == nullptr) return null("out");
    auto opened = infer::open_engine(directory, open_options(options));
    if (!opened) return infer::Unexpected(opened.error());
    *out = new infer_engine{*std::move(opened)};
    return {};
  });
}

void infer_engine_free(infer_engine* engine) { delete engine; }

infer_code infer_engine_infer(infer_engine* engine, const infer_tensor* inputs, size_t count,
                              int64_t timeout_ms, infer_response** out, infer_error** error) {
  return guarded(error, [&]() -> Result<void> {
    if (engine == nullptr) return null("engine");
    if (inputs == nullptr) return null("inputs");
    if (out == nullptr) return null("out");
    infer::Sample sample;
    for (std::size_t i = 0; i < count; ++i) {
      auto tensor = copy(inputs[i], i);
      if (!tensor) return infer::Unexpected(tensor.error());
      sample.push_back(*std::move(tensor));
    }
    auto response = engine->engine.infer(std::move(sample), {deadline(timeout_ms), {}, {}});
    if (!response) return infer::Unexpected(response.error());
    *out = new infer_response{*std::move(response)};
    return {};
  });
}

size_t infer_response_count(const infer_response* response) { return response->response.outputs.size(); }

infer_tensor infer_response_tensor(const infer_response* response, size_t index) {
  if (index >= response->response.outputs.size()) return {};
  const infer::Tensor& tensor = response->response.outputs[index];
  const auto dims = tensor.shape().dims();
  return {static_cast<infer_dtype>(tensor.dtype()), dims.size(), dims.data(), tensor.data()};
}

void infer_response_free(infer_response* response) { delete response; }

}  // extern "C"
