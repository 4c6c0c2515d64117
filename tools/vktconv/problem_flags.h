// The flags that name problems without data: a descriptor, a suite, or the shapes of tensors.
#pragma once

#include <string>
#include <vector>

#include "convolution_flags.h"
#include "support/problem_text.h"
#include "tensor_flags.h"

namespace vktconv::cli {

class ProblemFlags {
 public:
  void add_to(CLI::App& command);

  // At least one problem, each valid. Failure where the flags name none or contradict each other.
  std::vector<support::NamedProblem> choose() const;

 private:
  support::NamedProblem problem_from_tensors() const;
  std::vector<support::NamedProblem> problems_from_suite() const;

  std::string descriptor_, suite_, match_, input_, weights_, bias_, data_type_;
  ConvolutionFlags convolution_;
  TensorFlags tensors_;
};

// For --help.
constexpr const char* descriptor_help =
    "Descriptor: fields mb (batch), g (groups), ic, oc (channels); then, ending in the axis\n"
    "letter d, h or w: i (input), k (kernel), s (stride), p (padding at the beginning),\n"
    "e (at the end; default as p), op (output padding), d (dilation; 1: none); then\n"
    "dtf32, dtf16, dtbf16, dti32 or dti8, ot and the type of the output, ilast and olast (input\n"
    "and output channels-last), bias, po\"post-ops\", and n\"name\". Inner axes left out are\n"
    "copied from the outer one: ih64kh3 is 64x64 and 3x3.";

}  // namespace vktconv::cli
