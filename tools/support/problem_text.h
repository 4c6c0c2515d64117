// Problems as text: one descriptor string in benchdnn's style, or a suite file in JSON.
//
// Descriptor: fields in any order, each at most once, optionally separated by "_".
//     mb<batch> g<groups> ic<in channels> oc<out channels>
//     then, with an axis letter d, h or w at the end: i input size, k kernel, s stride, p padding at the beginning,
//     e padding at the end, op output padding, d dilation (1: neighbouring taps, unlike in benchdnn), o output size
//     dt<type>: dtf32 (what is assumed), dtf16, dtbf16, dti32, dti8; ot<type>: of the output, left out where it is
//     what VKTC_OUTPUT_TYPE_DEFAULT means; ilast, olast: input, output channels-last; bias; po"chain", see
//     post_ops_text.h; n"name", with \" and \\ inside
// The rank is that of the i fields: id is 3D, ih without id is 2D, iw alone is 1D. Fields of one kind that are left out
// on inner axes are copied from the nearest outer axis that has one: ih64kh3 is 64x64 and 3x3. Left out altogether: mb
// 1, g 1, s 1, p 0, e as p, op 0, d 1, no bias, no name; ic, oc, i and k must be there. An o field decides nothing, it
// is checked.
//     mb16_ic32iw131072_oc64kw3sw2pw1dw2_n"kb1.79"
#pragma once

#include <vktconv/vktconv.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vktconv::support {

struct NamedProblem {
  std::string name;            // empty where the text gives none
  VktcConvTransposeDesc desc;  // data type F32 unless the text says otherwise
};

// Throws std::invalid_argument that says what is wrong and at which character. What it returns is valid:
// vktcGetOutputSize accepts it.
NamedProblem parse_problem(std::string_view text);

// The text that parse_problem turns back into the same problem, without the fields that need not be there. Valid or
// not, so that it can name a problem that was refused; std::invalid_argument for a rank or data type that has no text.
std::string format_problem(const NamedProblem& problem);

// A suite: {"about": "...", "problems": [{...}, ...]} with the keys of shared/workloads: name, batch, in_channels,
// out_channels, input, kernel, stride, padding (or padding_begin and padding_end), output_padding, dilation, groups,
// bias, dtype ("f32" and so on), output_type (the same), input_layout and output_layout ("channels_first",
// "channels_last"), post_ops (as in post_ops_text.h), output (checked). Lists are per axis, outermost first; a single
// number in place of a list stands for all axes; the rank is the length of the list "input". name, in_channels,
// out_channels, input and kernel must be there. Unknown or repeated keys and repeated names are refused. Throws
// std::invalid_argument that names the file, the problem and the key; what it returns is valid.
std::vector<NamedProblem> load_suite(const std::filesystem::path& file);

// The same from text; source stands for the file in messages.
std::vector<NamedProblem> parse_suite(std::string_view text, const std::string& source);

const char* data_type_name(VktcDataType type);  // "f32", "f16", "bf16", "i32", "i8"; "?" for anything else
// These throw std::invalid_argument.
VktcDataType parse_data_type(std::string_view text);
VktcOutputType parse_output_type(std::string_view text);  // the name of a data type
VktcLayout parse_layout(std::string_view text);           // "channels_first", "channels_last"

}  // namespace vktconv::support
