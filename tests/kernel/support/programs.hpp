// A ruleset's text, bound and compiled for the engine. Covered by campaign_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "flow/program.hpp"
#include "ir/bind.hpp"
#include "kernel/system.hpp"

namespace postern::kernel {

// A ruleset with its program; the program points into the ruleset, so the pair stays put.
struct Compiled {
  Ruleset ruleset;
  std::optional<Program> program;
  const Program* get() const { return program ? &*program : nullptr; }
};

// Without text: a pair without program. The error is the binder's first message.
inline Outcome<std::unique_ptr<Compiled>> compile(const std::optional<std::string>& text,
                                                  Family family, Backend backend) {
  auto made = std::make_unique<Compiled>();
  if (!text) return made;
  const auto source = std::make_shared<const SourceFile>("ruleset", *text);
  auto bound = read_ruleset(source, family, backend);
  if (!bound) return tl::unexpected(render(bound.error().front(), *source));
  made->ruleset = std::move(bound->ruleset);
  auto program = Program::compile(made->ruleset);
  if (!program) return tl::unexpected(render(program.error().front(), *source));
  made->program = std::move(*program);
  return made;
}

}  // namespace postern::kernel
