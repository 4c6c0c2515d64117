# Installs the libraries with their headers, the package for find_package(vktconv CONFIG) and the pkg-config files. vktconv-host is a part of its own, so that a package without it has none of its dependencies.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vktconv)
set(generated_dir ${PROJECT_BINARY_DIR}/package)

# pkg-config finds its files anywhere when they name the prefix relative to themselves.
file(RELATIVE_PATH pc_prefix "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")

configure_package_config_file(cmake/vktconvConfig.cmake.in ${generated_dir}/vktconvConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the API.
write_basic_package_version_file(${generated_dir}/vktconvConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/vktconv.pc.in ${generated_dir}/vktconv.pc @ONLY)

# The component is what a program needs to be built with the libraries; `cmake --install --component vktconv-development`
# installs it alone.
set(component COMPONENT vktconv-development)
install(TARGETS vktconv EXPORT vktconvTargets ARCHIVE ${component})
install(EXPORT vktconvTargets NAMESPACE vktconv:: DESTINATION ${package_dir} ${component})
install(FILES include/vktconv/vktconv.h include/vktconv/vktconv.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vktconv
        ${component})
install(FILES ${generated_dir}/vktconvConfig.cmake ${generated_dir}/vktconvConfigVersion.cmake
        DESTINATION ${package_dir} ${component})
install(FILES ${generated_dir}/vktconv.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${component})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} ${component})

if(TARGET vktconv-host)
  configure_file(cmake/vktconv-host.pc.in ${generated_dir}/vktconv-host.pc @ONLY)
  install(TARGETS vktconv-host EXPORT vktconvHostTargets ARCHIVE ${component})
  install(EXPORT vktconvHostTargets NAMESPACE vktconv:: DESTINATION ${package_dir} ${component})
  install(FILES include/vktconv/vktconv_host.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vktconv ${component})
  install(FILES ${generated_dir}/vktconv-host.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${component})
endif()
