# Generates the C++ lexer and parser from grammar/*.g4 with Debian's antlr4 tool and wraps them, with
# the runtime, in postern_grammar. Generated code is compiled without our warnings.
find_program(ANTLR4 antlr4 REQUIRED)
find_package(antlr4-runtime QUIET)
find_path(ANTLR4_INCLUDE antlr4-runtime.h PATH_SUFFIXES antlr4-runtime REQUIRED)
find_library(ANTLR4_LIBRARY antlr4-runtime REQUIRED)
set(grammar_out ${PROJECT_BINARY_DIR}/generated/grammar)
set(grammar_sources ${grammar_out}/IptablesSaveLexer.cpp ${grammar_out}/IptablesSaveParser.cpp)
add_custom_command(
  OUTPUT ${grammar_sources}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${grammar_out}
  COMMAND ${ANTLR4} -Dlanguage=Cpp -no-listener -no-visitor -package postern::grammar
          -o ${grammar_out} -Xexact-output-dir
          ${PROJECT_SOURCE_DIR}/grammar/IptablesSaveLexer.g4
          ${PROJECT_SOURCE_DIR}/grammar/IptablesSaveParser.g4
  DEPENDS ${PROJECT_SOURCE_DIR}/grammar/IptablesSaveLexer.g4
          ${PROJECT_SOURCE_DIR}/grammar/IptablesSaveParser.g4
  COMMENT "antlr4: grammar")
add_library(postern_grammar STATIC ${grammar_sources})
target_include_directories(postern_grammar SYSTEM PUBLIC ${grammar_out} ${ANTLR4_INCLUDE})
target_link_libraries(postern_grammar PUBLIC ${ANTLR4_LIBRARY} Threads::Threads)
# The 4.7.2 generator writes u8"" literals as std::string, which C++20 refuses.
set_target_properties(postern_grammar PROPERTIES CXX_STANDARD 17)
target_compile_options(postern_grammar PRIVATE -w)
