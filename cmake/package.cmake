# `cpack` in the build folder: a Debian package and an archive, each with all of the library.

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME caffe2-qtensor)
set(CPACK_PACKAGE_VERSION ${version})
set(CPACK_PACKAGE_VENDOR "caffe2-qtensor developers")
set(CPACK_PACKAGE_CONTACT "caffe2-qtensor developers <caffe2-qtensor@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Caffe2's quantized tensor: libraries, headers, a command")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE")
# The folders in a package do not depend on the umask of who packs it.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_PACKAGE_DESCRIPTION
"The bit-plane QTensor of Caffe2 behind a stable C interface: its exact
wire format, its databases, and headers that stand in for Caffe2's own.
Holds the shared and the static library and the qtensor command.")
# Exact versions of what the shared library needs, where Debian's tools can tell them.
find_program(CAFFE2_QTENSOR_SHLIBDEPS dpkg-shlibdeps DOC "Finds what a package depends on")
find_program(CAFFE2_QTENSOR_FILE file DOC "Tells the kinds of files; dpkg-shlibdeps needs it")
mark_as_advanced(CAFFE2_QTENSOR_SHLIBDEPS CAFFE2_QTENSOR_FILE)
if(CAFFE2_QTENSOR_SHLIBDEPS AND CAFFE2_QTENSOR_FILE)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  # Tells other packages what to depend on, and the loader that there is a new library.
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
  set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6, libgcc-s1")
endif()
include(CPack)
