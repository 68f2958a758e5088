#pragma once

/// Marks a symbol of the shared library's interface; all other symbols are hidden.
#define INFER_EXPORT __attribute__((visibility("default")))
