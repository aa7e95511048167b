# The three targets in the build tree, visible in all of it.

if(multi_config)
  set(configurations ${CMAKE_CONFIGURATION_TYPES})
  # First, to stand for those that are not listed.
  if("Release" IN_LIST configurations)
    list(REMOVE_ITEM configurations Release)
    list(INSERT configurations 0 Release)
  endif()
else()
  set(configurations Release Debug RelWithDebInfo MinSizeRel)
endif()

set(include_folder "${CMAKE_CURRENT_SOURCE_DIR}/include")
_caffe2_qtensor_import(shared GLOBAL "${library_folder}/${shared_file}"
  "${configurations}" "${include_folder}" ${soname})
_caffe2_qtensor_import(static GLOBAL "${library_folder}/libcaffe2_qtensor.a"
  "${configurations}" "${include_folder}" "")
foreach(linkage shared static)
  add_dependencies(caffe2_qtensor::${linkage} caffe2_qtensor_cargo)
endforeach()
if(CAFFE2_QTENSOR_USE_STATIC)
  _caffe2_qtensor_choose(static GLOBAL)
else()
  _caffe2_qtensor_choose(shared GLOBAL)
endif()

# Internal cache entries, as the folder that uses them may be anywhere in the project.
set(caffe2_qtensor_COMPAT_INCLUDE_DIR "${include_folder}/caffe2_qtensor/compat" CACHE INTERNAL
  "Goes before Caffe2's own include folders")
set(caffe2_qtensor_INCLUDE_DIR "${include_folder}" CACHE INTERNAL "")
set(caffe2_qtensor_INCLUDE_DIRS "${include_folder}" CACHE INTERNAL "")
set(caffe2_qtensor_LIBRARIES caffe2_qtensor::caffe2_qtensor CACHE INTERNAL "")
set(caffe2_qtensor_VERSION ${version} CACHE INTERNAL "")
