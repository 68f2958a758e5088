# Sets up cmake --install, find_package(infer), pkg-config, and a .deb by CPack.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(targets infer_core)
set_target_properties(infer_core PROPERTIES EXPORT_NAME core)
if(INFER_ENGINE)
  list(APPEND targets infer infer_make)
  # When linking an executable, the linker follows libinfer to LibTorch, whose GPU parts may be missing.
  target_link_options(infer INTERFACE -Wl,--allow-shlib-undefined)
endif()
install(TARGETS ${targets} EXPORT inferTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/infer DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT inferTargets NAMESPACE infer:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/infer)
if(TARGET infer_tools_load)
  install(TARGETS infer_tools_bench infer_tools_duplicates infer_tools_folder infer_tools_load infer_tools_plan infer_tools_tune
    EXPORT inferToolsTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT inferToolsTargets NAMESPACE infer:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/infer)
endif()
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/inferConfig.cmake.in ${CMAKE_BINARY_DIR}/inferConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/infer)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/inferConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/inferConfig.cmake ${CMAKE_BINARY_DIR}/inferConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/infer)

if(INFER_ENGINE)
  install(CODE "set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
                set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
                set(PROJECT_VERSION \"${PROJECT_VERSION}\")
                configure_file(\"${CMAKE_SOURCE_DIR}/cmake/infer.pc.in\" \"${CMAKE_BINARY_DIR}/infer.pc\" @ONLY)")
  install(FILES ${CMAKE_BINARY_DIR}/infer.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
if(TARGET infer_cli)
  install(TARGETS infer_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# Where the loader finds LibTorch: beside the library if bundled, else in the folder used by the build.
if(INFER_ENGINE AND INFER_TORCH)
  if(INFER_BUNDLE_TORCH)
    file(GLOB bundled ${LibTorch_LIBRARY_DIR}/libtorch_cpu.so ${LibTorch_LIBRARY_DIR}/libc10.so
      ${LibTorch_LIBRARY_DIR}/libgomp*.so* ${LibTorch_LIBRARY_DIR}/libgfortran*.so* ${LibTorch_LIBRARY_DIR}/libcudart*.so*
      ${LibTorch_LIBRARY_DIR}/libcupti*.so*)
    install(FILES ${bundled} DESTINATION ${CMAKE_INSTALL_LIBDIR}/infer)
    set(torch_path "")
  else()
    set(torch_path ":${LibTorch_LIBRARY_DIR}")
  endif()
  set_target_properties(infer PROPERTIES INSTALL_RPATH "$ORIGIN/infer${torch_path}")
  set_target_properties(infer_make PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/infer${torch_path}")
  if(TARGET infer_cli)
    set_target_properties(infer_cli PROPERTIES
      INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/infer${torch_path}")
  endif()
endif()

set(CPACK_PACKAGE_NAME libinfer)
set(CPACK_PACKAGE_CONTACT "libinfer maintainers <maintainers@libinfer.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Inference with TorchScript models, for C++ programs and over HTTP")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${LibTorch_LIBRARY_DIR})
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_STRIP_FILES ON)
include(CPack)
