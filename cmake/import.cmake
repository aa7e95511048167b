# The targets, for the build tree and for an installed copy alike: this file is installed too, and
# keeps to CMake 3.2.

# What a program with the static library links besides, by name: older C libraries keep threads and
# the loader apart. Rust's list has more, which the compiler adds by itself.
set(_caffe2_qtensor_native_libraries pthread dl m)

# _caffe2_qtensor_import(LINKAGE SCOPE FILE CONFIGURATIONS INCLUDE_DIR SONAME) makes the target
# caffe2_qtensor::LINKAGE, where that is `shared` or `static`. SCOPE is GLOBAL or empty. FILE may
# contain `<CONFIG>` for the name of the configuration.
function(_caffe2_qtensor_import linkage scope file configurations include_dir soname)
  set(target caffe2_qtensor::${linkage})
  if(TARGET ${target})
    return()
  endif()
  string(TOUPPER ${linkage} type)
  add_library(${target} ${type} IMPORTED ${scope})
  set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")

  # The first configuration stands for all that are not listed.
  list(GET configurations 0 first)
  string(REPLACE "<CONFIG>" "${first}" location "${file}")
  set_property(TARGET ${target} PROPERTY IMPORTED_LOCATION "${location}")
  # Projects that map their configurations to others look for these and for nothing else.
  foreach(configuration IN LISTS configurations)
    string(REPLACE "<CONFIG>" "${configuration}" location "${file}")
    string(TOUPPER "${configuration}" suffix)
    set_property(TARGET ${target} APPEND PROPERTY IMPORTED_CONFIGURATIONS ${suffix})
    set_property(TARGET ${target} PROPERTY IMPORTED_LOCATION_${suffix} "${location}")
    if(linkage STREQUAL "shared")
      set_property(TARGET ${target} PROPERTY IMPORTED_SONAME_${suffix} "${soname}")
    endif()
  endforeach()

  if(linkage STREQUAL "shared")
    set_property(TARGET ${target} PROPERTY IMPORTED_SONAME "${soname}")
  else()
    set_property(TARGET ${target} PROPERTY
      INTERFACE_LINK_LIBRARIES ${_caffe2_qtensor_native_libraries})
    # Caffe2's function for whole archives reads this one, which no imported target has by itself.
    set_property(TARGET ${target} PROPERTY LINK_LIBRARIES ${_caffe2_qtensor_native_libraries})
  endif()
endfunction()

# _caffe2_qtensor_choose(LINKAGE SCOPE) makes the target that most programs name.
function(_caffe2_qtensor_choose linkage scope)
  if(NOT TARGET caffe2_qtensor::caffe2_qtensor)
    add_library(caffe2_qtensor::caffe2_qtensor INTERFACE IMPORTED ${scope})
    set_property(TARGET caffe2_qtensor::caffe2_qtensor PROPERTY
      INTERFACE_LINK_LIBRARIES caffe2_qtensor::${linkage})
  endif()
endfunction()
