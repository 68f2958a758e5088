if(INFER_SANITIZE)
  add_compile_options(-fsanitize=${INFER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${INFER_SANITIZE})
endif()
