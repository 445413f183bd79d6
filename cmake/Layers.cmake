# The layers, lowest first: a directory may include and link only what stands before it here.
# engine and symbolic do not see each other; kernel sees neither. `tests/layering.cmake` holds the
# same list against the #include lines (it reads this file).
# The rooms of lib/symbolic stand in an order of their own; witness does not see proof.
set(POSTERN_ROOMS entries sets nat rules explore proof witness)
set(POSTERN_LAYERS base text net meaning vocabulary syntax ir flow scenario engine symbolic kernel)

# postern_layer(NAME [LINK lib...]): one static library from every source below lib/NAME, linked to
# every layer before it (minus those it must not see).
function(postern_layer NAME)
  cmake_parse_arguments(ARG "" "" "LINK;BLIND" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/${NAME}/*.cpp)
  if(NOT sources)
    add_library(postern_${NAME} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(postern_${NAME} STATIC ${sources})
    set_target_properties(postern_${NAME} PROPERTIES LINKER_LANGUAGE CXX)
    set(scope PUBLIC)
  endif()
  target_include_directories(postern_${NAME} ${scope} ${PROJECT_SOURCE_DIR}/lib)
  target_link_libraries(postern_${NAME} ${scope} postern_options ${ARG_LINK})
  foreach(below IN LISTS POSTERN_LAYERS)
    if(below STREQUAL NAME)
      break()
    endif()
    if(NOT below IN_LIST ARG_BLIND)
      target_link_libraries(postern_${NAME} ${scope} postern_${below})
    endif()
  endforeach()
endfunction()
