# Finds stb_image_write as <stb/stb_image_write.h>.
find_path(Stb_INCLUDE_DIR stb/stb_image_write.h HINTS ${Stb_ROOT} ${INFER_CACHE}/stb NO_DEFAULT_PATH)
find_path(Stb_INCLUDE_DIR stb/stb_image_write.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Stb REQUIRED_VARS Stb_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or give Stb_ROOT")
if(Stb_FOUND AND NOT TARGET Stb::Stb)
  add_library(Stb::Stb INTERFACE IMPORTED)
  target_include_directories(Stb::Stb INTERFACE ${Stb_INCLUDE_DIR})
endif()
