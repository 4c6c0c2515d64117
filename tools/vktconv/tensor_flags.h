// The flags that say how input and output lie in memory, and of what type the output is.
#pragma once

#include <vktconv/vktconv.h>

#include <string>

namespace CLI {
class App;
}

namespace vktconv::cli {

class TensorFlags {
 public:
  void add_to(CLI::App& command);

  // Sets in desc what these flags say and leaves the rest. Failure for a word that they do not know; whether the
  // problem may have it is not looked at.
  void apply(VktcConvTransposeDesc& desc) const;

 private:
  std::string input_layout_, output_layout_, output_type_;
};

}  // namespace vktconv::cli
