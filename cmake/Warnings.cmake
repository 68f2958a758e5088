# The project's own targets must compile without warnings. Third-party headers are SYSTEM.
add_library(infer_warnings INTERFACE)
target_compile_options(infer_warnings INTERFACE -Wall -Wextra -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105329 gives false warnings for std::string concatenation.
  target_compile_options(infer_warnings INTERFACE -Wno-restrict)
endif()
option(INFER_WERROR "Treat warnings as errors" OFF)
if(INFER_WERROR)
  target_compile_options(infer_warnings INTERFACE -Werror)
endif()
