#ifndef INFER_C_H
#define INFER_C_H

/* libinfer for C and for whatever can call C. Nothing is thrown across this border.
 *
 * Every function that can fail returns a code and, where `error` is not NULL and the code is not INFER_OK,
 * stores an infer_error there that the caller frees. Handles are thread-safe to use; free each once, when
 * nothing uses it. */

#include <stddef.h>
#include <stdint.h>

#include "infer/export.h"

/* NOLINTBEGIN(readability-identifier-naming): C names, not the C++ ones. */
#ifdef __cplusplus
extern "C" {
#endif

/* The error codes of docs/errors.md, in their order. */
typedef enum infer_code {
  INFER_OK = 0,
  INFER_INVALID_ARGUMENT,
  INFER_NOT_FOUND,
  INFER_FAILED_PRECONDITION,
  INFER_OVERLOADED,
  INFER_DEADLINE_EXCEEDED,
  INFER_CANCELLED,
  INFER_UNAVAILABLE,
  INFER_UNIMPLEMENTED,
  INFER_MODEL_ERROR,
  INFER_OUT_OF_MEMORY,
  INFER_INTERNAL
} infer_code;

typedef struct infer_error infer_error;
typedef struct infer_embedder infer_embedder;
typedef struct infer_engine infer_engine;
typedef struct infer_response infer_response;

/* "0.1.0". */
INFER_EXPORT const char* infer_version(void);
/* "InvalidArgument" and so on; "Ok" for INFER_OK. */
INFER_EXPORT const char* infer_code_name(infer_code code);

/* Text that lives as long as the error. */
INFER_EXPORT const char* infer_error_message(const infer_error* error);
INFER_EXPORT void infer_error_free(infer_error* error);

/* What to open a model with. All zero (infer_options options = {0}) asks for the defaults. */
typedef struct infer_options {
  const char* device;      /* "cpu" or "cuda:N"; NULL: "cpu" */
  size_t workers;          /* 0: from the cores that may be used */
  size_t intra_op_threads; /* 0: the same */
  size_t max_batch_size;   /* 0: the model's own */
  size_t max_inflight;     /* requests at a time, at most; 0: 64 */
} infer_options;

/* Opens models/NAME for photographs and warms it up; blocking. `options` may be NULL. */
INFER_EXPORT infer_code infer_embedder_open(const char* directory, const infer_options* options,
                                            infer_embedder** out, infer_error** error);
INFER_EXPORT void infer_embedder_free(infer_embedder* embedder);
/* Numbers in a vector. */
INFER_EXPORT size_t infer_embedder_dim(const infer_embedder* embedder);
/* Embeds a JPEG or PNG of `size` bytes into `vector`, which holds `infer_embedder_dim` floats; blocking.
 * `timeout_ms` bounds the wait; negative: no bound. */
INFER_EXPORT infer_code infer_embedder_embed(const infer_embedder* embedder, const uint8_t* image,
                                             size_t size, float* vector, size_t length, int64_t timeout_ms,
                                             infer_error** error);

/* Element types, as those of infer/engine/tensor.h. */
typedef enum infer_dtype {
  INFER_BOOL = 0,
  INFER_UINT8,
  INFER_UINT16,
  INFER_UINT32,
  INFER_UINT64,
  INFER_INT8,
  INFER_INT16,
  INFER_INT32,
  INFER_INT64,
  INFER_FP16,
  INFER_BF16,
  INFER_FP32,
  INFER_FP64
} infer_dtype;

/* Dense, row-major elements of a sample, without batch dimension. Views: nothing is owned. */
typedef struct infer_tensor {
  infer_dtype dtype;
  size_t rank;
  const int64_t* dims;
  const void* data;
} infer_tensor;

/* Opens models/NAME of any task; blocking. */
INFER_EXPORT infer_code infer_engine_open(const char* directory, const infer_options* options,
                                          infer_engine** out, infer_error** error);
/* Fails what is queued and waits for what runs, at most 5 s. */
INFER_EXPORT void infer_engine_free(infer_engine* engine);
/* Runs one sample of `count` tensors, batched with those of other threads; copies its inputs; blocking. */
INFER_EXPORT infer_code infer_engine_infer(infer_engine* engine, const infer_tensor* inputs, size_t count,
                                           int64_t timeout_ms, infer_response** out, infer_error** error);
INFER_EXPORT size_t infer_response_count(const infer_response* response);
/* Output `index`; its pointers live as long as the response. */
INFER_EXPORT infer_tensor infer_response_tensor(const infer_response* response, size_t index);
INFER_EXPORT void infer_response_free(infer_response* response);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(readability-identifier-naming) */

#endif
