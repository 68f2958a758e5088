# stb_image as <stb/stb_image.h>, 2.28 or newer: earlier ones read out of bounds on damaged JPEGs.
find_path(Stb_INCLUDE_DIR stb/stb_image.h HINTS ${Stb_ROOT} ${INFER_CACHE}/stb NO_DEFAULT_PATH)
find_path(Stb_INCLUDE_DIR stb/stb_image.h)
if(Stb_INCLUDE_DIR)
  file(STRINGS ${Stb_INCLUDE_DIR}/stb/stb_image.h _line REGEX "stb_image - v[0-9.]+" LIMIT_COUNT 1)
  string(REGEX REPLACE ".*stb_image - v([0-9.]+).*" "\\1" Stb_VERSION "${_line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Stb REQUIRED_VARS Stb_INCLUDE_DIR VERSION_VAR Stb_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or give Stb_ROOT")
if(Stb_FOUND AND NOT TARGET Stb::Stb)
  add_library(Stb::Stb INTERFACE IMPORTED)
  target_include_directories(Stb::Stb INTERFACE ${Stb_INCLUDE_DIR})
endif()
