// vktconv-tests --modelled-times SUITE...: what the planner predicts for an RTX 4090, which nobody here has, as the
// table of docs/rtx-4090.md.
#pragma once

namespace vktconv::tests {

int print_modelled_times(int argc, char** argv);

}  // namespace vktconv::tests
