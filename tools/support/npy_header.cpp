#include "npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <stdexcept>

#include "printable.h"

namespace vktconv::support {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr size_t most_dimensions = 32;  // NumPy's own limit for a long time
constexpr uint64_t most_bytes = uint64_t{1} << 62;
constexpr char native_order = std::endian::native == std::endian::little ? '<' : '>';

struct TypeRow {
  NpyType type;
  std::string_view code;
  const char* name;
  size_t size;
};
constexpr TypeRow type_rows[] = {{NpyType::f32, "f4", "float32", 4},
                                 {NpyType::f16, "f2", "float16", 2},
                                 {NpyType::i32, "i4", "int32", 4},
                                 {NpyType::i8, "i1", "int8", 1},
                                 {NpyType::u16, "u2", "uint16", 2},
                                 // How NumPy stores an array of ml_dtypes.bfloat16. Last, so that it is never written.
                                 {NpyType::u16, "V2", "uint16", 2}};

const TypeRow& row(NpyType type) {
  for (const TypeRow& candidate : type_rows) {
    if (candidate.type == type) return candidate;
  }
  throw std::logic_error("an NpyType outside its enumeration");
}

[[noreturn]] void refuse(const std::string& reason) { throw std::invalid_argument(reason); }

unsigned byte_at(std::string_view bytes, size_t index) { return static_cast<unsigned char>(bytes[index]); }

// Reads the dictionary, which is a Python literal of a very narrow kind.
class DictionaryParser {
 public:
  DictionaryParser(std::string_view file, size_t begin) : text_(file), position_(begin) {}

  void parse(NpyHeader& header) {
    skip_spaces();
    expect('{', "the header must begin with \"{\"");
    skip_spaces();
    while (!accept('}')) {
      parse_entry(header);
      skip_spaces();
      if (!accept(',')) {
        if (!at('}')) refuse_here("\",\" or \"}\" must follow an entry of the header");
      }
      skip_spaces();
    }
    skip_spaces();
    if (position_ != text_.size()) refuse_here("only spaces may follow the dictionary of the header");
    if (!has_type_) refuse("the header has no key 'descr'");
    if (!has_order_) refuse("the header has no key 'fortran_order'");
    if (!has_shape_) refuse("the header has no key 'shape'");
  }

 private:
  [[noreturn]] void refuse_at(size_t position, const std::string& reason) const {
    refuse(fmt::format("byte {}: {}", position, reason));
  }
  [[noreturn]] void refuse_here(const std::string& reason) const { refuse_at(position_, reason); }

  bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  bool at_digit() const { return position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; }
  bool accept(char c) {
    if (!at(c)) return false;
    ++position_;
    return true;
  }
  bool accept(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }
  void expect(char c, const std::string& reason) {
    if (!accept(c)) refuse_here(reason);
  }
  void skip_spaces() {
    while (at(' ') || at('\t') || at('\n') || at('\r')) ++position_;
  }

  std::string_view parse_string(const std::string& what) {
    const size_t begin = position_;
    if (!at('\'') && !at('"')) refuse_here(what + " must be a string in quotes");
    const char quote = text_[position_++];
    const size_t first = position_;
    while (!at(quote)) {
      if (position_ >= text_.size()) refuse_at(begin, "the string has no closing quote");
      if (text_[position_] < 0x20 || text_[position_] >= 0x7f || text_[position_] == '\\') {
        refuse_here("the string has a byte that is no plain character");
      }
      ++position_;
    }
    return text_.substr(first, position_++ - first);
  }

  void parse_entry(NpyHeader& header) {
    const size_t begin = position_;
    const std::string_view key = parse_string("a key of the header");
    skip_spaces();
    expect(':', "\":\" must follow a key of the header");
    skip_spaces();
    const auto once = [&](bool& seen) {
      if (seen) refuse_at(begin, fmt::format("the key '{}' is given twice", key));
      seen = true;
    };
    if (key == "descr") {
      once(has_type_);
      parse_type(header);
    } else if (key == "fortran_order") {
      once(has_order_);
      header.fortran_order = accept("True");
      if (!header.fortran_order && !accept("False")) refuse_here("'fortran_order' must be True or False");
    } else if (key == "shape") {
      once(has_shape_);
      parse_shape(header.shape);
    } else {
      refuse_at(begin, fmt::format("the header has an unknown key '{}'", printable(key, 40)));
    }
  }

  void parse_type(NpyHeader& header) {
    if (at('[')) refuse_here("the array has fields (a structured dtype); a plain array is needed");
    const size_t begin = position_;
    const std::string_view text = parse_string("'descr'");
    const size_t order_size = !text.empty() && std::string_view("<>|=").find(text[0]) != std::string_view::npos ? 1 : 0;
    const char order = order_size == 1 ? text[0] : '=';
    for (const TypeRow& candidate : type_rows) {
      if (text.substr(order_size) != candidate.code) continue;
      header.type = candidate.type;
      header.foreign_byte_order = (order == '<' || order == '>') && order != native_order;
      return;
    }
    refuse_at(begin, fmt::format(
                         "the elements have the type '{}', but only float32, float16, int32, int8 and uint16 (the bits "
                         "of bfloat16) are read; convert with array.astype(numpy.float32)",
                         printable(text, 40)));
  }

  void parse_shape(std::vector<int64_t>& shape) {
    const size_t begin = position_;
    expect('(', "'shape' must be a tuple, which begins with \"(\"");
    skip_spaces();
    bool comma = true;
    while (!accept(')')) {
      if (!comma) refuse_here("\",\" or \")\" must follow a dimension of the shape");
      if (shape.size() == most_dimensions)
        refuse_here(fmt::format("the shape has more than {} dimensions", most_dimensions));
      shape.push_back(parse_dimension());
      skip_spaces();
      comma = accept(',');
      skip_spaces();
    }
    if (shape.size() == 1 && !comma) refuse_at(begin, "a tuple of one dimension needs a comma: (3,)");
  }

  int64_t parse_dimension() {
    const size_t begin = position_;
    accept('-');
    while (at_digit()) ++position_;
    const std::string_view digits = text_.substr(begin, position_ - begin);
    int64_t value = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (status == std::errc::invalid_argument) refuse_at(begin, "a dimension of the shape must be a whole number");
    if (digits[0] == '-')
      refuse_at(begin, fmt::format("the shape has the negative dimension {}", printable(digits, 40)));
    if (status != std::errc()) {
      refuse_at(begin, fmt::format("the dimension {} is over the largest possible, 2^63 - 1", printable(digits, 40)));
    }
    if (digits.size() > 1 && digits[0] == '0') refuse_at(begin, "a number may not begin with 0");
    accept('L');  // Python 2 wrote its long integers so, and NumPy still reads them.
    return value;
  }

  std::string_view text_;
  size_t position_;
  bool has_type_ = false, has_order_ = false, has_shape_ = false;
};

// The dictionary begins where the length field ends.
size_t dictionary_offset(std::string_view beginning) { return byte_at(beginning, 6) == 1 ? 10 : 12; }

}  // namespace

const char* npy_type_name(NpyType type) { return row(type).name; }

size_t npy_type_size(NpyType type) { return row(type).size; }

size_t npy_header_size(std::string_view beginning) {
  if (beginning.starts_with("PK\x03\x04")) {
    refuse("this is an .npz archive (or another zip file); save the one array with numpy.save");
  }
  if (!beginning.starts_with(magic)) refuse("this is no .npy file: it does not begin with \\x93NUMPY");
  if (beginning.size() < 10) refuse(fmt::format("the file ends inside the header, after {} bytes", beginning.size()));
  const unsigned major = byte_at(beginning, 6), minor = byte_at(beginning, 7);
  if (major < 1 || major > 3 || minor != 0) {
    refuse(fmt::format("the format version {}.{} is unknown; 1.0, 2.0 and 3.0 are read", major, minor));
  }
  const size_t offset = dictionary_offset(beginning);
  if (beginning.size() < offset) {
    refuse(fmt::format("the file ends inside the header, after {} bytes", beginning.size()));
  }
  size_t length = byte_at(beginning, 8) | byte_at(beginning, 9) << 8;
  if (major > 1) length |= static_cast<size_t>(byte_at(beginning, 10) << 16 | byte_at(beginning, 11) << 24);
  if (length > npy_longest_header - offset) {
    refuse(fmt::format("the header claims a length of {} bytes; at most {} are read", length,
                       npy_longest_header - offset));
  }
  return offset + length;
}

NpyHeader parse_npy_header(std::string_view header) {
  if (npy_header_size(header.substr(0, npy_prefix_bytes)) != header.size()) {
    throw std::logic_error("parse_npy_header needs exactly npy_header_size bytes");
  }
  NpyHeader result;
  DictionaryParser(header, dictionary_offset(header)).parse(result);
  if (result.shape.empty()) refuse("the array has no dimensions (its shape is ()), but a tensor is needed");
  uint64_t bytes = npy_type_size(result.type);
  for (const int64_t dimension : result.shape) {
    if (dimension == 0) refuse(fmt::format("the array has no elements: its shape is {}", format_shape(result.shape)));
  }
  for (const int64_t dimension : result.shape) {
    if (static_cast<uint64_t>(dimension) > most_bytes / bytes) {
      refuse(fmt::format("the shape {} of {} has more than 2^62 bytes", format_shape(result.shape),
                         npy_type_name(result.type)));
    }
    bytes *= static_cast<uint64_t>(dimension);
  }
  result.data_offset = header.size();
  result.data_bytes = bytes;
  return result;
}

std::string format_npy_header(NpyType type, const std::vector<int64_t>& shape) {
  // NumPy's own way: single bytes have no order.
  const char order = row(type).size == 1 ? '|' : native_order;
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': {}, }}", order, row(type).code,
                                 format_shape(shape));
  constexpr size_t prefix = 10;
  while ((prefix + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string header(magic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

std::string format_shape(const std::vector<int64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

}  // namespace vktconv::support
