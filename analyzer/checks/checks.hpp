// The checks' functions; each is defined in a file of its own (registry.cpp lists them).
#pragma once

namespace postern {
class LintRun;
}

namespace postern::check {

void unknown_extension(LintRun& run);
void kernel_refuses(LintRun& run);
void unreferenced_chain(LintRun& run);
void impossible_state(LintRun& run);
void impossible_match(LintRun& run);
void unreachable_rule(LintRun& run);
void default_accept(LintRun& run);
void source_port_hole(LintRun& run);
void stateless_segment(LintRun& run);
void one_way_notrack(LintRun& run);  // with PST309 among its related places
void notrack_keeps_tracking(LintRun& run);

}  // namespace postern::check
