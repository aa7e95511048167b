# What `cmake --install` puts where. Nothing that is installed knows the prefix: it may be chosen
# after configuring, and the tree may be moved.
#
# A prefix holds the libraries of one configuration, whose names do not tell it: the last one
# installed. To a program the two differ in speed and in debug information only.

# Without a language the module cannot know the machine's folder for libraries.
if(NOT CMAKE_SIZEOF_VOID_P AND NOT DEFINED CMAKE_INSTALL_LIBDIR)
  set(CMAKE_INSTALL_LIBDIR lib)
endif()
include(GNUInstallDirs)
foreach(folder LIBDIR INCLUDEDIR DATAROOTDIR BINDIR MANDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    message(FATAL_ERROR
      "caffe2_qtensor: CMAKE_INSTALL_${folder} is ${CMAKE_INSTALL_${folder}}, and has to be "
      "relative to the prefix: the installed files find each other wherever that is moved to.")
  endif()
endforeach()

set(config_folder "${CMAKE_INSTALL_LIBDIR}/cmake/caffe2_qtensor")
set(pc_folder "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
# From those folders up to the prefix.
file(RELATIVE_PATH config_up "/prefix/${config_folder}" /prefix)
file(RELATIVE_PATH pc_up "/prefix/${pc_folder}" /prefix)
string(REGEX REPLACE "/$" "" config_up "${config_up}")
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
set(native_flags "")
foreach(library IN LISTS _caffe2_qtensor_native_libraries)
  string(APPEND native_flags " -l${library}")
endforeach()
string(STRIP "${native_flags}" native_flags)

set(generated "${CMAKE_CURRENT_BINARY_DIR}/generated")
foreach(file caffe2_qtensor-config.cmake caffe2_qtensor-config-version.cmake caffe2_qtensor.pc)
  configure_file(cmake/${file}.in "${generated}/${file}" @ONLY)
endforeach()

# A copy without one of the libraries is installed by component.
set(in_shared DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT caffe2_qtensor_shared)
install(FILES "${library_folder_now}/${shared_file}" "${library_folder_now}/${soname}"
  "${library_folder_now}/libcaffe2_qtensor.so" ${in_shared})
install(FILES "${library_folder_now}/libcaffe2_qtensor.a"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT caffe2_qtensor_static)
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT caffe2_qtensor_development
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES "${generated}/caffe2_qtensor-config.cmake"
  "${generated}/caffe2_qtensor-config-version.cmake"
  DESTINATION "${config_folder}" COMPONENT caffe2_qtensor_development)
install(FILES cmake/import.cmake RENAME caffe2_qtensor-import.cmake
  DESTINATION "${config_folder}" COMPONENT caffe2_qtensor_development)
install(FILES "${generated}/caffe2_qtensor.pc"
  DESTINATION "${pc_folder}" COMPONENT caffe2_qtensor_development)
install(FILES LICENSE CHANGELOG.md
  DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/caffe2-qtensor"
  COMPONENT caffe2_qtensor_development)

if(CAFFE2_QTENSOR_BUILD_COMMAND)
  set(command_folder "${library_folder_now}/command")
  set(completions "${CMAKE_INSTALL_DATAROOTDIR}")
  install(PROGRAMS "${command_folder}/qtensor" DESTINATION "${CMAKE_INSTALL_BINDIR}"
    COMPONENT caffe2_qtensor_command)
  install(DIRECTORY "${command_folder}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}"
    COMPONENT caffe2_qtensor_command)
  install(FILES "${command_folder}/completions.bash" RENAME qtensor
    DESTINATION "${completions}/bash-completion/completions" COMPONENT caffe2_qtensor_command)
  install(FILES "${command_folder}/completions.zsh" RENAME _qtensor
    DESTINATION "${completions}/zsh/site-functions" COMPONENT caffe2_qtensor_command)
  install(FILES "${command_folder}/completions.fish" RENAME qtensor.fish
    DESTINATION "${completions}/fish/vendor_completions.d" COMPONENT caffe2_qtensor_command)
endif()
