#include "problem_text.h"

#include <desc_text.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "post_ops_text.h"
#include "printable.h"
#include "problem_limits.h"

namespace vktconv::support {
namespace {

constexpr size_t longest_descriptor = 4096;
constexpr std::string_view axis_letters = "dhw";
constexpr std::array<VktcDataType, 5> data_types = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16,
                                                    VKTC_DATA_TYPE_I32, VKTC_DATA_TYPE_I8};

VktcOutputType output_type_of(VktcDataType type) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return VKTC_OUTPUT_TYPE_F32;
    case VKTC_DATA_TYPE_F16:
      return VKTC_OUTPUT_TYPE_F16;
    case VKTC_DATA_TYPE_BF16:
      return VKTC_OUTPUT_TYPE_BF16;
    case VKTC_DATA_TYPE_I32:
      return VKTC_OUTPUT_TYPE_I32;
    case VKTC_DATA_TYPE_I8:
      return VKTC_OUTPUT_TYPE_I8;
  }
  return VKTC_OUTPUT_TYPE_DEFAULT;
}

struct Field {
  int64_t value = 0;
  size_t position = 0;
};

// One kind of per-axis field, by axis letter.
struct AxisKind {
  std::string_view prefix;
  std::array<std::optional<Field>, 3> axes;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NamedProblem parse() {
    if (text_.empty()) refuse(0, "it is empty");
    if (text_.size() > longest_descriptor) {
      refuse(longest_descriptor, fmt::format("it has {} characters; {} are allowed", text_.size(), longest_descriptor));
    }
    while (position_ < text_.size()) {
      if (text_[position_] == '_') {
        ++position_;
      } else {
        parse_field();
      }
    }
    return assemble();
  }

 private:
  [[noreturn]] void refuse(size_t position, const std::string& reason) const {
    throw std::invalid_argument(
        fmt::format("descriptor \"{}\", character {}: {}", printable(text_, 200), position + 1, reason));
  }

  bool accept(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  void parse_field() {
    const size_t begin = position_;
    for (AxisKind* kind : kinds()) {
      for (size_t axis = 0; axis < axis_letters.size(); ++axis) {
        const std::string key = std::string(kind->prefix) + axis_letters[axis];
        if (accept(key)) return parse_number(key, begin, kind->axes[axis]);
      }
    }
    if (accept("mb")) return parse_number("mb", begin, batch_);
    if (accept("ic")) return parse_number("ic", begin, in_channels_);
    if (accept("oc")) return parse_number("oc", begin, out_channels_);
    if (accept("g")) return parse_number("g", begin, groups_);
    if (accept("bias")) {
      set_once(bias_, "bias", begin);
    } else if (accept("ilast")) {
      set_once(input_channels_last_, "ilast", begin);
    } else if (accept("olast")) {
      set_once(output_channels_last_, "olast", begin);
    } else if (accept("dt")) {
      parse_type("dt", begin, type_);
    } else if (accept("ot")) {
      parse_type("ot", begin, output_type_);
    } else if (accept("po")) {
      parse_chain(begin);
    } else if (accept("n")) {
      parse_name(begin);
    } else {
      refuse(begin, fmt::format("no field begins with \"{}\"; the fields are mb g ic oc, dt, ot, ilast, olast, bias, "
                                "po\"post-ops\", n\"name\", and i k "
                                "s p e op d o with an axis letter d, h or w",
                                printable(text_.substr(begin), 8)));
    }
  }

  void parse_number(std::string_view key, size_t begin, std::optional<Field>& field) {
    if (field.has_value()) refuse(begin, fmt::format("\"{}\" is given twice", key));
    const char* first = text_.data() + position_;
    const char* last = text_.data() + text_.size();
    int64_t value = 0;
    const auto [end, status] = std::from_chars(first, last, value);
    if (status == std::errc::invalid_argument) refuse(position_, fmt::format("\"{}\" needs a whole number here", key));
    const std::string_view digits(first, static_cast<size_t>(end - first));
    if (status != std::errc() || value < -largest_number || value > largest_number) {
      refuse(position_, fmt::format("\"{}\" is {}: it must be between {} and {}", key, printable(digits, 40),
                                    -largest_number, largest_number));
    }
    position_ += digits.size();
    field = Field{value, begin};
  }

  void set_once(bool& flag, std::string_view key, size_t begin) const {
    if (flag) refuse(begin, fmt::format("\"{}\" is given twice", key));
    flag = true;
  }

  void parse_type(std::string_view key, size_t begin, std::optional<VktcDataType>& field) {
    if (field.has_value()) refuse(begin, fmt::format("\"{}\" is given twice", key));
    for (const VktcDataType type : data_types) {
      if (accept(data_type_name(type))) {
        field = type;
        return;
      }
    }
    refuse(position_, fmt::format("\"{}\" needs one of f32, f16, bf16, i32, i8 here", key));
  }

  // What stands in double quotes, with \" and \\ inside. what: for messages, "name".
  std::string parse_quoted(std::string_view key, std::string_view what, size_t begin) {
    if (!accept("\"")) refuse(position_, fmt::format("\"{}\" needs a {} in double quotes here", key, what));
    std::string quoted;
    const auto next = [&] {
      if (position_ >= text_.size()) refuse(begin, fmt::format("the {} has no closing quote", what));
      return text_[position_++];
    };
    for (char c = next(); c != '"'; c = next()) quoted += c == '\\' ? next() : c;
    return quoted;
  }

  void parse_chain(size_t begin) {
    if (post_ops_.has_value()) refuse(begin, "\"po\" is given twice");
    const std::string chain = parse_quoted("po", "chain of post-ops", begin);
    try {
      post_ops_ = parse_post_ops(chain);
    } catch (const std::invalid_argument& error) {
      refuse(begin, error.what());
    }
  }

  void parse_name(size_t begin) {
    if (name_.has_value()) refuse(begin, "\"n\" is given twice");
    const std::string name = parse_quoted("n", "name", begin);
    if (const std::string reason = name_error(name); !reason.empty()) refuse(begin, reason);
    name_ = name;
  }

  int64_t required(const std::optional<Field>& field, std::string_view key, std::string_view meaning) const {
    if (!field.has_value()) refuse(text_.size(), fmt::format("\"{}\" ({}) is missing", key, meaning));
    return field->value;
  }

  // The values of one kind on the axes from first_axis on, inner ones copied from outer ones.
  void spread(const AxisKind& kind, size_t first_axis, int64_t* values) const {
    const Field* outer = nullptr;
    for (size_t axis = 0; axis < axis_letters.size(); ++axis) {
      const std::optional<Field>& field = kind.axes[axis];
      const std::string key = std::string(kind.prefix) + axis_letters[axis];
      if (field.has_value() && axis < first_axis) {
        refuse(field->position,
               fmt::format("\"{}\" is given, but the problem has no axis {}: its rank is that of the i "
                           "fields",
                           key, axis_letters[axis]));
      }
      if (field.has_value() && outer == nullptr && axis > first_axis) {
        refuse(field->position, fmt::format("\"{}\" is given, but not \"{}{}\" for the outermost axis", key,
                                            kind.prefix, axis_letters[first_axis]));
      }
      if (field.has_value()) outer = &*field;
      if (outer != nullptr) values[axis - first_axis] = outer->value;
    }
  }

  NamedProblem assemble() const {
    size_t first_axis = 0;
    while (first_axis < 3 && !input_.axes[first_axis].has_value()) ++first_axis;
    if (first_axis == 3) refuse(text_.size(), "the input size is missing: iw for 1D, ih for 2D, id for 3D");
    NamedProblem problem;
    problem.name = name_.value_or("");
    VktcConvTransposeDesc& desc = problem.desc;
    desc = vktcDefaultDesc(static_cast<uint32_t>(3 - first_axis));
    desc.dataType = type_.value_or(VKTC_DATA_TYPE_F32);
    desc.inChannels = required(in_channels_, "ic", "input channels");
    desc.outChannels = required(out_channels_, "oc", "output channels");
    desc.batch = batch_.value_or(Field{1, 0}).value;
    desc.groups = groups_.value_or(Field{1, 0}).value;
    desc.hasBias = bias_ ? VK_TRUE : VK_FALSE;
    if (output_type_.has_value()) desc.outputType = output_type_of(*output_type_);
    if (post_ops_.has_value()) set_post_ops(*post_ops_, desc);
    if (input_channels_last_) desc.inputLayout = VKTC_LAYOUT_CHANNELS_LAST;
    if (output_channels_last_) desc.outputLayout = VKTC_LAYOUT_CHANNELS_LAST;
    required(kernel_.axes[first_axis], std::string("k") + axis_letters[first_axis], "kernel size");
    spread(input_, first_axis, desc.inputSize);
    spread(kernel_, first_axis, desc.kernelSize);
    spread(stride_, first_axis, desc.stride);
    spread(padding_begin_, first_axis, desc.paddingBegin);
    for (size_t axis = 0; axis < 3; ++axis) desc.paddingEnd[axis] = desc.paddingBegin[axis];
    spread(padding_end_, first_axis, desc.paddingEnd);
    spread(output_padding_, first_axis, desc.outputPadding);
    spread(dilation_, first_axis, desc.dilation);
    check(desc, first_axis);
    return problem;
  }

  void check(const VktcConvTransposeDesc& desc, size_t first_axis) const {
    int64_t output[VKTC_MAX_SPATIAL_RANK] = {};
    VktcError error = {};
    if (vktcGetOutputSize(&desc, output, &error) != VKTC_SUCCESS) {
      throw std::invalid_argument(fmt::format("descriptor \"{}\": {}", printable(text_, 200), error.message));
    }
    for (size_t axis = 0; axis < 3; ++axis) {
      const std::optional<Field>& field = output_.axes[axis];
      if (!field.has_value()) continue;
      if (axis < first_axis || field->value != output[axis - first_axis]) {
        refuse(field->position,
               fmt::format("\"o{}\" is {}, but the output size of the problem is {}", axis_letters[axis], field->value,
                           axis < first_axis ? 1 : output[axis - first_axis]));
      }
    }
  }

  std::array<AxisKind*, 8> kinds() {
    return {&input_, &kernel_, &stride_, &padding_begin_, &padding_end_, &output_padding_, &dilation_, &output_};
  }

  std::string_view text_;
  size_t position_ = 0;
  std::optional<Field> batch_, groups_, in_channels_, out_channels_;
  std::optional<VktcDataType> type_, output_type_;
  std::optional<std::string> name_;
  std::optional<std::vector<VktcPostOp>> post_ops_;
  bool bias_ = false, input_channels_last_ = false, output_channels_last_ = false;
  AxisKind input_ = {"i", {}}, kernel_ = {"k", {}}, stride_ = {"s", {}}, padding_begin_ = {"p", {}},
           padding_end_ = {"e", {}}, output_padding_ = {"op", {}}, dilation_ = {"d", {}}, output_ = {"o", {}};
};

}  // namespace

NamedProblem parse_problem(std::string_view text) { return Parser(text).parse(); }

std::string format_problem(const NamedProblem& problem) {
  const VktcConvTransposeDesc& desc = problem.desc;
  if (desc.spatialRank < 1 || desc.spatialRank > VKTC_MAX_SPATIAL_RANK) {
    throw std::invalid_argument(fmt::format("a problem of spatial rank {} has no descriptor", desc.spatialRank));
  }
  if (vktcDataTypeSize(desc.dataType) == 0) {
    throw std::invalid_argument(fmt::format("data type {} has no descriptor", static_cast<int>(desc.dataType)));
  }
  std::string text = desc_text(desc);
  if (!problem.name.empty()) {
    text += "_n\"";
    for (const char c : problem.name) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

const char* data_type_name(VktcDataType type) { return data_type_text(type); }

VktcDataType parse_data_type(std::string_view text) {
  for (const VktcDataType type : data_types) {
    if (text == data_type_name(type)) return type;
  }
  throw std::invalid_argument(
      fmt::format("\"{}\" is no data type; the data types are f32, f16, bf16, i32 and i8", printable(text, 40)));
}

VktcOutputType parse_output_type(std::string_view text) { return output_type_of(parse_data_type(text)); }

VktcLayout parse_layout(std::string_view text) {
  for (const VktcLayout layout : {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST}) {
    if (text == layout_text(layout)) return layout;
  }
  throw std::invalid_argument(
      fmt::format("\"{}\" is no layout; the layouts are channels_first and channels_last", printable(text, 40)));
}

}  // namespace vktconv::support
