#pragma once

/// Marks what the shared library shows; everything else stays hidden in it.
#define INFER_EXPORT __attribute__((visibility("default")))
