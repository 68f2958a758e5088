#pragma once

// Compiles a function for several instruction sets and picks one when the program starts. Off under
// sanitizers, whose runtime has not started yet when the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(INFER_SANITIZED)
#define INFER_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
// Marks a function that uses AVX2 intrinsics; callers check `__builtin_cpu_supports` first.
#define INFER_FOR_AVX2 __attribute__((target("avx2")))
#else
#define INFER_MULTIVERSION
#endif
