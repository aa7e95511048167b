# How Caffe2 hands a dependency on so that nothing of it is dropped: what the two generations of its
# function do, written anew. Each makes DESTINATION, an interface library, from the target SOURCE.

# hand_on(SOURCE DESTINATION): what does not depend on how it is linked.
function(hand_on source destination)
  foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS INCLUDE_DIRECTORIES
      SYSTEM_INCLUDE_DIRECTORIES)
    set_property(TARGET ${destination} APPEND PROPERTY
      INTERFACE_${property} $<TARGET_PROPERTY:${source},INTERFACE_${property}>)
  endforeach()
endfunction()

# The one of 2017: the file in one string with the flags, the interface's libraries after it.
function(whole_library_2017 source destination)
  add_library(${destination} INTERFACE)
  add_dependencies(${destination} ${source})
  get_target_property(kind ${source} TYPE)
  if(kind STREQUAL "STATIC_LIBRARY")
    target_link_libraries(${destination} INTERFACE
      "-Wl,--whole-archive $<TARGET_FILE:${source}> -Wl,--no-whole-archive")
  elseif(kind STREQUAL "SHARED_LIBRARY")
    target_link_libraries(${destination} INTERFACE
      "-Wl,--no-as-needed" ${source} "-Wl,--as-needed")
  else()
    message(FATAL_ERROR "${source} is neither a static nor a shared library, but ${kind}")
  endif()
  target_link_libraries(${destination} INTERFACE
    $<TARGET_PROPERTY:${source},INTERFACE_LINK_LIBRARIES>)
  hand_on(${source} ${destination})
endfunction()

# The one of 2021: the file quoted, for both kinds. What a static library is linked with is read
# from a property that imported targets do not have by themselves.
function(whole_library_2021 source destination)
  add_library(${destination} INTERFACE)
  add_dependencies(${destination} ${source})
  get_target_property(kind ${source} TYPE)
  if(kind STREQUAL "STATIC_LIBRARY")
    target_link_libraries(${destination} INTERFACE
      "-Wl,--whole-archive,\"$<TARGET_FILE:${source}>\" -Wl,--no-whole-archive")
    target_link_libraries(${destination} INTERFACE $<TARGET_PROPERTY:${source},LINK_LIBRARIES>)
  elseif(kind STREQUAL "SHARED_LIBRARY")
    target_link_libraries(${destination} INTERFACE
      "-Wl,--no-as-needed,\"$<TARGET_FILE:${source}>\" -Wl,--as-needed")
    target_link_libraries(${destination} INTERFACE
      $<TARGET_PROPERTY:${source},INTERFACE_LINK_LIBRARIES>)
  else()
    message(FATAL_ERROR "${source} is neither a static nor a shared library, but ${kind}")
  endif()
  hand_on(${source} ${destination})
endfunction()
