// Suite files: the half of problem_text.h that reads JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <unordered_set>

#include "post_ops_text.h"
#include "printable.h"
#include "problem_limits.h"
#include "problem_text.h"

namespace vktconv::support {
namespace {

using nlohmann::json;

// A suite nests no deeper than problems -> problem -> list. What is larger than this is no suite, and reading it would
// only take memory.
constexpr int deepest_nesting = 4;
constexpr uintmax_t largest_file = uintmax_t{4} << 20;

// Thrown from inside the JSON parser, which knows the position but not the file.
[[noreturn]] void refuse(const std::string& source, const std::string& reason) {
  throw std::invalid_argument(fmt::format("suite {}: {}", source, reason));
}

json parse_json(std::string_view text, const std::string& source) {
  std::vector<std::set<std::string>> keys;  // of the open objects and lists
  const auto check = [&](int, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        keys.emplace_back();
        if (keys.size() > deepest_nesting) {
          refuse(source, fmt::format("lists and objects are nested more than {} deep", deepest_nesting));
        }
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        keys.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys.back().insert(parsed.get<std::string>()).second) {
          refuse(source, fmt::format("the key \"{}\" is given twice in one object",
                                     printable(parsed.get_ref<const std::string&>(), 40)));
        }
        break;
      case json::parse_event_t::value:
        break;
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), check);
  } catch (const json::exception& exception) {
    std::string message = exception.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    if (const size_t end = message.find("] "); end != std::string::npos) message.erase(0, end + 2);
    refuse(source, printable(message, 400));
  }
}

// One problem of a suite. Each read_* takes a key and says in its error which problem and which key.
class ProblemReader {
 public:
  ProblemReader(const json& object, const std::string& source, size_t index)
      : object_(object), where_(fmt::format("suite {}: problem {}", source, index + 1)) {
    if (!object.is_object()) refuse_problem("it is not an object");
  }

  NamedProblem read() {
    NamedProblem problem;
    problem.name = read_name();
    where_ += fmt::format(" ({})", printable(problem.name, 60));
    refuse_unknown_keys();
    const json& input = require("input");
    if (!input.is_array() || input.empty() || input.size() > VKTC_MAX_SPATIAL_RANK) {
      refuse_key("input", "it must be a list of 1, 2 or 3 numbers, one for each spatial axis");
    }
    VktcConvTransposeDesc& desc = problem.desc;
    desc = vktcDefaultDesc(static_cast<uint32_t>(input.size()));
    rank_ = input.size();
    desc.inChannels = to_number("in_channels", require("in_channels"));
    desc.outChannels = to_number("out_channels", require("out_channels"));
    if (has("batch")) desc.batch = to_number("batch", object_.at("batch"));
    if (has("groups")) desc.groups = to_number("groups", object_.at("groups"));
    if (has("bias")) desc.hasBias = read_bool("bias") ? VK_TRUE : VK_FALSE;
    if (has("dtype")) desc.dataType = read_word("dtype", parse_data_type);
    if (has("output_type")) desc.outputType = read_word("output_type", parse_output_type);
    if (has("input_layout")) desc.inputLayout = read_word("input_layout", parse_layout);
    if (has("post_ops")) set_post_ops(read_word("post_ops", parse_post_ops), desc);
    if (has("output_layout")) desc.outputLayout = read_word("output_layout", parse_layout);
    require("kernel");
    read_axes("input", desc.inputSize);
    read_axes("kernel", desc.kernelSize);
    read_axes("stride", desc.stride);
    read_axes("output_padding", desc.outputPadding);
    read_axes("dilation", desc.dilation);
    read_padding(desc);
    check_output(desc);
    return problem;
  }

 private:
  static constexpr std::array<std::string_view, 21> known_keys = {
      "name",   "about",   "batch",         "in_channels", "out_channels",   "input",         "kernel",
      "stride", "padding", "padding_begin", "padding_end", "output_padding", "dilation",      "groups",
      "bias",   "dtype",   "output",        "output_type", "input_layout",   "output_layout", "post_ops"};

  [[noreturn]] void refuse_problem(const std::string& reason) const {
    throw std::invalid_argument(fmt::format("{}: {}", where_, reason));
  }
  [[noreturn]] void refuse_key(std::string_view key, const std::string& reason) const {
    refuse_problem(fmt::format("key \"{}\": {}", key, reason));
  }

  bool has(const char* key) const { return object_.contains(key); }

  const json& require(const char* key) const {
    if (!has(key)) refuse_key(key, "it is missing");
    return object_.at(key);
  }

  std::string read_name() const {
    const json& value = require("name");
    if (!value.is_string()) refuse_key("name", "it must be a string");
    const auto& name = value.get_ref<const std::string&>();
    if (const std::string reason = name_error(name); !reason.empty()) refuse_key("name", reason);
    return name;
  }

  void refuse_unknown_keys() const {
    for (const auto& item : object_.items()) {
      if (std::find(known_keys.begin(), known_keys.end(), item.key()) == known_keys.end()) {
        refuse_key(printable(item.key(), 40), "there is no such key");
      }
    }
  }

  int64_t to_number(std::string_view key, const json& value) const {
    // Unsigned first: a number over the largest int64 is kept as unsigned by the parser.
    if (!value.is_number_integer()) refuse_key(key, fmt::format("it must be a whole number, not {}", describe(value)));
    const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(largest_number);
    if (too_large || value.get<int64_t>() < -largest_number || value.get<int64_t>() > largest_number) {
      refuse_key(key,
                 fmt::format("it is {}: it must be between {} and {}", value.dump(), -largest_number, largest_number));
    }
    return value.get<int64_t>();
  }

  static std::string describe(const json& value) {
    if (value.is_number() || value.is_boolean() || value.is_null()) return value.dump();
    return value.is_array() ? "a list" : value.is_object() ? "an object" : "a string";
  }

  bool read_bool(const char* key) const {
    if (!object_.at(key).is_boolean()) refuse_key(key, "it must be true or false");
    return object_.at(key).get<bool>();
  }

  template <typename Value>
  Value read_word(const char* key, Value (*parse)(std::string_view)) const {
    const json& value = object_.at(key);
    if (!value.is_string()) refuse_key(key, "it must be a string");
    try {
      return parse(value.get_ref<const std::string&>());
    } catch (const std::invalid_argument& exception) {
      refuse_key(key, exception.what());
    }
  }

  // Leaves values as they are where the key is not there.
  void read_axes(const char* key, int64_t* values) const {
    if (!has(key)) return;
    const json& value = object_.at(key);
    if (!value.is_array()) {
      const int64_t number = to_number(key, value);
      for (size_t axis = 0; axis < rank_; ++axis) values[axis] = number;
      return;
    }
    if (value.size() != rank_) {
      refuse_key(key, fmt::format("it has {} numbers, but \"input\" has {}", value.size(), rank_));
    }
    for (size_t axis = 0; axis < rank_; ++axis) values[axis] = to_number(key, value[axis]);
  }

  void read_padding(VktcConvTransposeDesc& desc) const {
    const bool begin = has("padding_begin"), end = has("padding_end");
    if (has("padding") && (begin || end)) {
      refuse_key("padding", "it may not be combined with \"padding_begin\" and \"padding_end\"");
    }
    if (begin != end) refuse_key(begin ? "padding_end" : "padding_begin", "it is missing, but the other one is given");
    read_axes("padding", desc.paddingBegin);
    read_axes("padding", desc.paddingEnd);
    read_axes("padding_begin", desc.paddingBegin);
    read_axes("padding_end", desc.paddingEnd);
  }

  void check_output(const VktcConvTransposeDesc& desc) const {
    int64_t output[VKTC_MAX_SPATIAL_RANK] = {};
    VktcError error = {};
    if (vktcGetOutputSize(&desc, output, &error) != VKTC_SUCCESS) refuse_problem(error.message);
    int64_t expected[VKTC_MAX_SPATIAL_RANK] = {output[0], output[1], output[2]};
    read_axes("output", expected);
    for (size_t axis = 0; axis < rank_; ++axis) {
      if (expected[axis] == output[axis]) continue;
      refuse_key("output", fmt::format("it is {} on axis {}, but the output size of the problem is {}", expected[axis],
                                       axis, output[axis]));
    }
  }

  const json& object_;
  std::string where_;
  size_t rank_ = 0;
};

}  // namespace

std::vector<NamedProblem> parse_suite(std::string_view text, const std::string& source) {
  if (text.size() > largest_file) {
    refuse(source, fmt::format("it has {} bytes; {} are allowed", text.size(), largest_file));
  }
  const json root = parse_json(text, source);
  if (!root.is_object()) refuse(source, "it must be an object with the key \"problems\"");
  for (const auto& item : root.items()) {
    if (item.key() != "about" && item.key() != "problems") {
      refuse(source, fmt::format("there is no key \"{}\", only \"about\" and \"problems\"", printable(item.key(), 40)));
    }
  }
  if (!root.contains("problems") || !root.at("problems").is_array()) {
    refuse(source, "the key \"problems\" must be there and hold a list");
  }
  std::vector<NamedProblem> problems;
  std::unordered_set<std::string> names;
  for (const json& object : root.at("problems")) {
    problems.push_back(ProblemReader(object, source, problems.size()).read());
    if (!names.insert(problems.back().name).second) {
      refuse(source, fmt::format("problem {} ({}): key \"name\": an earlier problem has the same name", problems.size(),
                                 printable(problems.back().name, 60)));
    }
  }
  return problems;
}

std::vector<NamedProblem> load_suite(const std::filesystem::path& file) {
  const std::string source = file.string();
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) refuse(source, "there is no such file");
  if (!std::filesystem::is_regular_file(status)) refuse(source, "it is not a regular file");
  const uintmax_t size = std::filesystem::file_size(file, failure);
  if (failure) refuse(source, failure.message());
  if (size > largest_file) refuse(source, fmt::format("it has {} bytes; {} are allowed", size, largest_file));
  std::ifstream stream(file, std::ios::binary);
  std::string text(static_cast<size_t>(size), '\0');
  if (!stream || !stream.read(text.data(), static_cast<std::streamsize>(text.size()))) {
    refuse(source, "it cannot be read");
  }
  return parse_suite(text, source);
}

}  // namespace vktconv::support
