# Builds the tables of known matches and targets from the file names in lib/vocabulary/{match,target}:
# NAME.cpp defines `extern const Match NAME` in namespace postern::match (or `Target` in
# postern::target); adding an extension touches that one file and its table in corpus/.
# A C++ keyword or a dash in the iptables name does not matter: the file name is the C++ name, the
# descriptor's `.name` is the iptables one (file `return_.cpp`, name "RETURN").
function(postern_registry)
  set(out ${PROJECT_BINARY_DIR}/generated/registry.cpp)
  set(text "#include \"vocabulary/registry.hpp\"\n\n")
  foreach(kind match target)
    string(SUBSTRING ${kind} 0 1 initial)
    string(TOUPPER ${initial} initial)
    string(SUBSTRING ${kind} 1 -1 rest)
    set(type ${initial}${rest})
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/vocabulary/${kind}/*.cpp)
    set(declarations "")
    set(entries "")
    foreach(file IN LISTS files)
      get_filename_component(name ${file} NAME_WE)
      string(APPEND declarations "extern const ${type} ${name};\n")
      string(APPEND entries "&${kind}::${name}, ")
    endforeach()
    string(APPEND text "namespace postern::${kind} {\n${declarations}}\n"
           "std::span<const postern::${type}* const> postern::all_${kind}es() {\n"
           "  static const std::vector<const ${type}*> all{${entries}};\n  return all;\n}\n")
  endforeach()
  string(REPLACE "all_targetes" "all_targets" text "${text}")
  file(CONFIGURE OUTPUT ${out} CONTENT "${text}" @ONLY)
  target_sources(postern_vocabulary PRIVATE ${out})
endfunction()
