if(INFER_SANITIZE)
  add_compile_options(-fsanitize=${INFER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # With sanitizers, GCC 12 reports false uses of uninitialised memory in <regex> (GCC bug 105562).
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_compile_definitions(INFER_SANITIZED=1)
  add_link_options(-fsanitize=${INFER_SANITIZE})
endif()
