#pragma once

// Compiles a function for several instruction sets and picks one when the program starts. Off under
// sanitizers, whose runtime is not up yet when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(INFER_SANITIZED)
#define INFER_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
// For a function of AVX2's own instructions, to be chosen by `__builtin_cpu_supports`.
#define INFER_FOR_AVX2 __attribute__((target("avx2")))
#else
#define INFER_MULTIVERSION
#endif
