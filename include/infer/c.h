#ifndef INFER_C_H
#define INFER_C_H

/**
 * @file
 * The C interface, for C and for languages that call C.
 *
 * No exception leaves these functions. Every function that can fail returns an infer_code. If the code is not
 * INFER_OK and `error` is not NULL, the function stores an infer_error in `*error` (NULL if memory is
 * exhausted), which the caller frees with infer_error_free(). On success `*error` is unchanged, and on an
 * error the outputs are unchanged.
 *
 * Several threads may use one handle at the same time. Free each handle once, when no thread uses it; a NULL
 * handle may be freed. Texts are UTF-8 and end with a zero byte.
 */

#include <stddef.h>
#include <stdint.h>

#include "infer/export.h"

/* NOLINTBEGIN(readability-identifier-naming): C names, not the C++ ones. */
#ifdef __cplusplus
extern "C" {
#endif

/** Why a call failed: the codes of docs/errors.md; infer::ErrorCode says more about each. */
typedef enum infer_code {
  INFER_OK = 0,              /**< The call succeeded. */
  INFER_INVALID_ARGUMENT,    /**< The input can never succeed: correct it. */
  INFER_NOT_FOUND,           /**< The model, version or file does not exist. */
  INFER_FAILED_PRECONDITION, /**< The machine or the object is in a wrong state (missing device). */
  INFER_OVERLOADED,          /**< A bound on queue, wait or requests in flight is reached: retry later. */
  INFER_DEADLINE_EXCEEDED,   /**< The timeout passed before execution started. */
  INFER_CANCELLED,           /**< The caller cancelled before execution started. */
  INFER_UNAVAILABLE,         /**< The engine is closing. */
  INFER_UNIMPLEMENTED,       /**< This build or this backend does not support the operation. */
  INFER_MODEL_ERROR,         /**< The model failed for this sample, or gave something unexpected. */
  INFER_OUT_OF_MEMORY,       /**< An allocation failed: retry with a smaller input. */
  INFER_INTERNAL             /**< The library broke a rule of its own: please report it. */
} infer_code;

/** The message of a failed call; free it with infer_error_free(). */
typedef struct infer_error infer_error;
/** An opened model for photographs; free it with infer_embedder_free(). */
typedef struct infer_embedder infer_embedder;
/** An opened model of any task; free it with infer_engine_free(). */
typedef struct infer_engine infer_engine;
/** The outputs of a model for one sample; free it with infer_response_free(). */
typedef struct infer_response infer_response;

/** Returns the version of the library, such as "0.1.0"; static text. */
INFER_EXPORT const char* infer_version(void);
/** Returns the name of a code, such as "InvalidArgument", or "Ok" for INFER_OK; static text. */
INFER_EXPORT const char* infer_code_name(infer_code code);

/** Returns the message, which lives as long as the error; "out of memory" for NULL. */
INFER_EXPORT const char* infer_error_message(const infer_error* error);
/** Frees an error; NULL is allowed. */
INFER_EXPORT void infer_error_free(infer_error* error);

/** How to open a model; all zero (`infer_options options = {0}`) asks for the defaults. */
typedef struct infer_options {
  const char* device;      /**< "cpu" or "cuda:N"; NULL: "cpu". */
  size_t workers;          /**< Batches in parallel; 0: from the usable cores. */
  size_t intra_op_threads; /**< Threads in each forward; 0: from the usable cores. */
  size_t max_batch_size;   /**< Samples per forward, at most; 0: the model's own. */
  size_t max_inflight;     /**< Requests in flight, at most; 0: 64. */
} infer_options;

/**
 * Opens models/NAME for photographs and warms it up; blocking.
 *
 * `options` may be NULL. On success `*out` is a handle that the caller frees.
 *
 * Errors: those of infer::ImageEmbedder::open; INFER_INVALID_ARGUMENT for a NULL argument.
 */
INFER_EXPORT infer_code infer_embedder_open(const char* directory, const infer_options* options,
                                            infer_embedder** out, infer_error** error);
/** Frees an embedder as infer_engine_free() frees an engine; NULL is allowed. */
INFER_EXPORT void infer_embedder_free(infer_embedder* embedder);
/** Returns the number of floats in a vector; `embedder` must not be NULL. */
INFER_EXPORT size_t infer_embedder_dim(const infer_embedder* embedder);
/**
 * Embeds a JPEG or PNG of `size` bytes into `vector`; blocking.
 *
 * `vector` has room for `length` floats, at least infer_embedder_dim(); the result has Euclidean length 1.
 * `image` is read during the call only. `timeout_ms` bounds the wait in milliseconds, not a forward that has
 * begun; negative: no bound.
 *
 * Errors: those of infer::ImageEmbedder::embed; INFER_INVALID_ARGUMENT for a NULL argument or a `length` that
 * is too small.
 */
INFER_EXPORT infer_code infer_embedder_embed(const infer_embedder* embedder, const uint8_t* image,
                                             size_t size, float* vector, size_t length, int64_t timeout_ms,
                                             infer_error** error);

/** The types of elements, in the order of infer::DType. */
typedef enum infer_dtype {
  INFER_BOOL = 0, /**< One byte, 0 or 1. */
  INFER_UINT8,    /**< Unsigned, 8 bits. */
  INFER_UINT16,   /**< Unsigned, 16 bits. */
  INFER_UINT32,   /**< Unsigned, 32 bits. */
  INFER_UINT64,   /**< Unsigned, 64 bits. */
  INFER_INT8,     /**< Signed, 8 bits. */
  INFER_INT16,    /**< Signed, 16 bits. */
  INFER_INT32,    /**< Signed, 32 bits. */
  INFER_INT64,    /**< Signed, 64 bits. */
  INFER_FP16,     /**< IEEE 754 binary16. */
  INFER_BF16,     /**< bfloat16: the upper 16 bits of a binary32. */
  INFER_FP32,     /**< IEEE 754 binary32, float. */
  INFER_FP64      /**< IEEE 754 binary64, double. */
} infer_dtype;

/**
 * A view of one tensor of a sample: dense and row-major, without batch dimension.
 *
 * The view owns nothing: `dims` and `data` must stay valid during the call that reads them.
 */
typedef struct infer_tensor {
  infer_dtype dtype;   /**< Type of the elements. */
  size_t rank;         /**< Number of dimensions, 0 to 8. */
  const int64_t* dims; /**< Sizes of the dimensions; NULL if `rank` is 0. */
  const void* data;    /**< The elements, at any alignment. */
} infer_tensor;

/**
 * Opens models/NAME of any task and warms it up; blocking.
 *
 * `options` may be NULL. On success `*out` is a handle that the caller frees.
 *
 * Errors: those of infer::open_engine; INFER_INVALID_ARGUMENT for a NULL argument.
 */
INFER_EXPORT infer_code infer_engine_open(const char* directory, const infer_options* options,
                                          infer_engine** out, infer_error** error);
/** Frees an engine: fails queued samples and waits for running ones, at most 5 s; NULL is allowed. */
INFER_EXPORT void infer_engine_free(infer_engine* engine);
/**
 * Runs one sample of `count` tensors, batched with the samples of other threads; blocking.
 *
 * The call copies its inputs. `timeout_ms` bounds the wait in milliseconds, not a forward that has begun;
 * negative: no bound. On success `*out` is a response that the caller frees.
 *
 * Errors: those of infer::Engine::infer; INFER_INVALID_ARGUMENT for a NULL argument, dtype, rank or size.
 */
INFER_EXPORT infer_code infer_engine_infer(infer_engine* engine, const infer_tensor* inputs, size_t count,
                                           int64_t timeout_ms, infer_response** out, infer_error** error);
/** Returns the number of outputs; `response` must not be NULL. */
INFER_EXPORT size_t infer_response_count(const infer_response* response);
/** Returns a view of output `index`, valid as long as the response; all zero for an index that is too large.
 */
INFER_EXPORT infer_tensor infer_response_tensor(const infer_response* response, size_t index);
/** Frees a response and the memory of its views; NULL is allowed. */
INFER_EXPORT void infer_response_free(infer_response* response);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(readability-identifier-naming) */

#endif
