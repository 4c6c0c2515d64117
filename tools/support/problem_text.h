// Problems as text: one descriptor string in benchdnn's style, or a suite file in JSON.
//
// Descriptor: g<groups> mb<batch> ic<in channels> oc<out channels>, then per axis letter d, h, w: i<letter> input size,
// k<letter> kernel, s<letter> stride, p<letter> padding at the beginning, e<letter> padding at the end,
// op<letter> output padding, d<letter> dilation; then "bias" and n"name". Fields may be separated by "_".
// Fields that are left out: mb 1, g 1, s 1, p 0, e = p, op 0, dilation 1. A field given for some axes only is copied to the
// inner axes from the next outer one that has it (ih64kh3 means 64x64 and 3x3 only where w is declared by no field). Unlike
// benchdnn, dilation 1 means neighbouring taps, and mb defaults to 1. The rank is that of the i fields:
// id/ih/iw = 3D, ih/iw or ih alone = 2D, iw alone = 1D.
//     g1mb16_ic32iw131072_oc64kw3sw2pw1dw2n"kb1.79"
#pragma once

#include <vktconv/vktconv.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vktconv::support {

struct NamedProblem {
  std::string name;
  VktcConvTransposeDesc desc;  // data type F32 unless the text says otherwise ("dtf16", "dtbf16", "dti32")
};

// Throws std::invalid_argument that says what is wrong and at which character.
NamedProblem parse_problem(std::string_view text);

// The shortest text that parse_problem turns back into the same problem.
std::string format_problem(const NamedProblem& problem);

// The keys of shared/workloads: name, batch, in_channels, out_channels, input, kernel, stride, padding (or padding_begin
// and padding_end), output_padding, dilation, groups, bias. "output", where given, is checked. Throws
// std::invalid_argument that names the file, the problem and the key.
std::vector<NamedProblem> load_suite(const std::filesystem::path& file);

const char* data_type_name(VktcDataType type);            // "f32", "f16", "bf16", "i32"
VktcDataType parse_data_type(std::string_view text);      // throws std::invalid_argument

}  // namespace vktconv::support
