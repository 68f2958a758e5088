# Finds the header-only cpp-httplib, 0.18 or newer. Prefers the version from scripts/fetch_sources.sh, because a distribution's
# package may be compiled or older.
find_path(Httplib_INCLUDE_DIR httplib.h HINTS ${Httplib_ROOT} ${INFER_CACHE}/httplib NO_DEFAULT_PATH)
find_path(Httplib_INCLUDE_DIR httplib.h)
if(Httplib_INCLUDE_DIR)
  file(STRINGS ${Httplib_INCLUDE_DIR}/httplib.h _line REGEX "#define CPPHTTPLIB_VERSION \"")
  string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" Httplib_VERSION "${_line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Httplib REQUIRED_VARS Httplib_INCLUDE_DIR VERSION_VAR Httplib_VERSION HANDLE_VERSION_RANGE
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or give Httplib_ROOT")
if(Httplib_FOUND AND NOT TARGET Httplib::Httplib)
  add_library(Httplib::Httplib INTERFACE IMPORTED)
  target_include_directories(Httplib::Httplib INTERFACE ${Httplib_INCLUDE_DIR})
endif()
