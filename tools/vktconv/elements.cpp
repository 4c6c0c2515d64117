#include "elements.h"

#include <fmt/format.h>
#include <shape.h>

#include <cstring>

#include "failure.h"
#include "support/half.h"
#include "support/problem_text.h"

namespace vktconv::cli {
namespace {

using support::NpyArray;
using support::NpyType;

bool is_integer(VktcDataType type) { return type == VKTC_DATA_TYPE_I32 || type == VKTC_DATA_TYPE_I8; }

std::string describe(NpyType type) {
  return type == NpyType::u16 ? "uint16 (the bits of bf16)" : support::npy_type_name(type);
}

float load(VktcDataType type, const std::byte* element) {
  if (type == VKTC_DATA_TYPE_F32) {
    float value;
    std::memcpy(&value, element, sizeof(value));
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, element, sizeof(bits));
  return type == VKTC_DATA_TYPE_F16 ? support::f16_to_float(bits) : support::bf16_to_float(bits);
}

void store(VktcDataType type, float value, std::byte* element) {
  if (type == VKTC_DATA_TYPE_F32) {
    std::memcpy(element, &value, sizeof(value));
    return;
  }
  const uint16_t bits = type == VKTC_DATA_TYPE_F16 ? support::float_to_f16(value) : support::float_to_bf16(value);
  std::memcpy(element, &bits, sizeof(bits));
}

}  // namespace

VktcDataType data_type_of(NpyType type) {
  switch (type) {
    case NpyType::f32:
      return VKTC_DATA_TYPE_F32;
    case NpyType::f16:
      return VKTC_DATA_TYPE_F16;
    case NpyType::u16:
      return VKTC_DATA_TYPE_BF16;
    case NpyType::i8:
      return VKTC_DATA_TYPE_I8;
    case NpyType::i32:
      break;
  }
  return VKTC_DATA_TYPE_I32;
}

NpyType npy_type_of(VktcDataType type) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return NpyType::f32;
    case VKTC_DATA_TYPE_F16:
      return NpyType::f16;
    case VKTC_DATA_TYPE_BF16:
      return NpyType::u16;
    case VKTC_DATA_TYPE_I8:
      return NpyType::i8;
    case VKTC_DATA_TYPE_I32:
      break;
  }
  return NpyType::i32;
}

DataTypeChoice::DataTypeChoice(const std::string& option) : asked_for_(!option.empty()) {
  if (!asked_for_) return;
  try {
    type_ = support::parse_data_type(option);
  } catch (const std::invalid_argument& error) {
    refuse(fmt::format("--dtype: {}", error.what()));
  }
}

void DataTypeChoice::add_file(const std::string& name, NpyType type) {
  const VktcDataType own = data_type_of(type);
  if (!type_.has_value()) {
    type_ = own;
    first_file_ = name;
  }
  if (own == *type_) return;
  const char* wanted = support::data_type_name(*type_);
  if (!asked_for_) {
    refuse(fmt::format("{} is {}, but {} is {}: say with --dtype which type to compute in", name, describe(type),
                       first_file_, describe(npy_type_of(*type_))));
  }
  if (is_integer(own) || is_integer(*type_)) {
    refuse(fmt::format(
        "{} is {}, which --dtype {} does not convert: integers are computed exactly, and only from files of "
        "their type",
        name, describe(type), wanted));
  }
}

void DataTypeChoice::add_bias(const std::string& name, NpyType type) {
  if (!type_.has_value() || bias_data_type(*type_) == *type_) return add_file(name, type);
  const VktcDataType wanted = bias_data_type(*type_);
  if (data_type_of(type) == wanted) return;
  refuse(fmt::format("{} is {}: the bias of {} tensors is {}", name, describe(type), support::data_type_name(*type_),
                     support::npy_type_name(npy_type_of(wanted))));
}

void convert_elements(NpyArray& array, VktcDataType type) {
  const VktcDataType own = data_type_of(array.type);
  if (own == type) return;
  const size_t old_size = vktcDataTypeSize(own), new_size = vktcDataTypeSize(type);
  const auto elements = static_cast<size_t>(array.elements());
  auto converted = std::make_unique_for_overwrite<std::byte[]>(elements * new_size);
  for (size_t i = 0; i < elements; ++i) {
    store(type, load(own, array.data.get() + i * old_size), converted.get() + i * new_size);
  }
  array.data = std::move(converted);
  array.type = npy_type_of(type);
}

}  // namespace vktconv::cli
