// .npy files written byte by byte here, as NumPy's format says: good ones in every version and order, and hostile ones.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mutation.h"
#include "scratch_folder.h"
#include "support/npy.h"

TEST_SUITE_BEGIN("npy");

namespace {

namespace fs = std::filesystem;
using namespace vktconv::support;
using vktconv::tests::ScratchFolder;
using namespace std::string_literals;

// A header with the given dictionary, as it stands; version 1, 2 or 3.
std::string make_header(const std::string& dictionary, int version = 1) {
  std::string bytes = "\x93NUMPY"s;
  bytes += static_cast<char>(version);
  bytes += '\0';
  const size_t length = dictionary.size();
  for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte) bytes += static_cast<char>(length >> (8 * byte) & 0xff);
  return bytes + dictionary;
}

std::string dictionary(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }   \n";
}

// The elements in the given byte order.
template <typename Word>
std::string words(const std::vector<Word>& values, bool big_endian = false) {
  std::string bytes;
  for (const Word value : values) {
    for (size_t i = 0; i < sizeof(Word); ++i) {
      const size_t shift = 8 * (big_endian ? sizeof(Word) - 1 - i : i);
      bytes += static_cast<char>(static_cast<uint64_t>(value) >> shift & 0xff);
    }
  }
  return bytes;
}

template <typename Word>
std::vector<Word> elements(const NpyArray& array) {
  REQUIRE(npy_type_size(array.type) == sizeof(Word));
  std::vector<Word> values(static_cast<size_t>(array.elements()));
  std::memcpy(values.data(), array.data.get(), values.size() * sizeof(Word));
  return values;
}

// What parse_npy says of these bytes; empty: nothing.
std::string refusal(const std::string& bytes) {
  try {
    parse_npy(bytes, "x.npy");
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

void check_refused(const std::string& bytes, const std::string& words_of_message) {
  const std::string message = refusal(bytes);
  CAPTURE(message);
  CAPTURE(words_of_message);
  CHECK(message.starts_with("x.npy: "));
  CHECK(message.find(words_of_message) != std::string::npos);
}

const std::vector<uint32_t> six = {0x3f800000, 0x40000000, 0x80000000, 0x7fc00001, 0x00000001, 0x12345678};

}  // namespace

TEST_CASE("every version and byte order reads the same") {
  for (const int version : {1, 2, 3}) {
    for (const std::string order : {"<", ">", "|", "="}) {
      CAPTURE(version);
      CAPTURE(order);
      const bool big_endian = order == ">";  // "|" and "=" mean the machine's own, which these tests take for little
      const NpyArray array =
          parse_npy(make_header(dictionary(order + "f4", "(2, 3)"), version) + words(six, big_endian), "x.npy");
      CHECK(array.type == NpyType::f32);
      CHECK(array.shape == std::vector<int64_t>{2, 3});
      CHECK(elements<uint32_t>(array) == six);
    }
  }
}

TEST_CASE("every element type, in either byte order") {
  const std::vector<uint16_t> halves = {0x3c00, 0x8001, 0xabcd};
  for (const bool big_endian : {false, true}) {
    const std::string order = big_endian ? ">" : "<";
    const auto read16 = [&](const std::string& type) {
      return parse_npy(make_header(dictionary(type, "(3,)")) + words(halves, big_endian), "x.npy");
    };
    CHECK(read16(order + "f2").type == NpyType::f16);
    CHECK(elements<uint16_t>(read16(order + "f2")) == halves);
    CHECK(read16(order + "u2").type == NpyType::u16);
    CHECK(elements<uint16_t>(read16(order + "u2")) == halves);
    CHECK(read16(order + "V2").type == NpyType::u16);
    const NpyArray integers =
        parse_npy(make_header(dictionary(order + "i4", "(6,)")) + words(six, big_endian), "x.npy");
    CHECK(integers.type == NpyType::i32);
    CHECK(elements<uint32_t>(integers) == six);
  }
  for (const std::string order : {"|", "<", ">", ""}) {
    const NpyArray bytes =
        parse_npy(make_header(dictionary(order + "i1", "(3,)")) + std::string("\x01\x80\xff", 3), "x.npy");
    CHECK(bytes.type == NpyType::i8);
    CHECK(elements<int8_t>(bytes) == std::vector<int8_t>{1, -128, -1});
  }
  CHECK(format_npy_header(NpyType::i8, {3}).find("'descr': '|i1'") != std::string::npos);
}

TEST_CASE("Fortran order of single bytes") {
  const NpyArray bytes = parse_npy(
      make_header("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }") + std::string("\0\3\1\4\2\5", 6),
      "x.npy");
  CHECK(elements<int8_t>(bytes) == std::vector<int8_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("Fortran order is brought into C order") {
  // Element (i, j, k) of shape (2, 3, 4) holds 100 i + 10 j + k; the first index runs fastest in the file.
  std::vector<uint32_t> fortran, c_order;
  for (uint32_t k = 0; k < 4; ++k) {
    for (uint32_t j = 0; j < 3; ++j) {
      for (uint32_t i = 0; i < 2; ++i) fortran.push_back(100 * i + 10 * j + k);
    }
  }
  for (uint32_t i = 0; i < 2; ++i) {
    for (uint32_t j = 0; j < 3; ++j) {
      for (uint32_t k = 0; k < 4; ++k) c_order.push_back(100 * i + 10 * j + k);
    }
  }
  for (const bool big_endian : {false, true}) {
    const std::string type = big_endian ? ">i4" : "<i4";
    const NpyArray array =
        parse_npy(make_header(dictionary(type, "(2, 3, 4)", "True")) + words(fortran, big_endian), "x.npy");
    CHECK(array.shape == std::vector<int64_t>{2, 3, 4});
    CHECK(elements<uint32_t>(array) == c_order);
  }
  const std::vector<uint16_t> column = {1, 2, 3, 4};
  CHECK(elements<uint16_t>(parse_npy(make_header(dictionary("<f2", "(2, 2)", "True")) + words(column), "x.npy")) ==
        std::vector<uint16_t>{1, 3, 2, 4});
  CHECK(elements<uint16_t>(parse_npy(make_header(dictionary("<f2", "(4, 1)", "True")) + words(column), "x.npy")) ==
        column);
}

TEST_CASE("headers that are unusual and good") {
  const std::string data = words(six);
  CHECK(refusal(make_header("{\"shape\":(6,),\"descr\":\"<f4\",\"fortran_order\":False}") + data) == "");
  CHECK(refusal(make_header("  { 'shape' : ( 2L , 3L , ) , 'fortran_order':False,'descr':'<f4'}\t\n") + data) == "");
  CHECK(refusal(make_header(dictionary("<f4", "(1, 6, 1)") + std::string(60000, ' ')) + data) == "");
}

TEST_CASE("what is no .npy header is refused, with the reason and the place") {
  const std::string good = make_header(dictionary("<f4", "(2, 3)")) + words(six);
  REQUIRE(refusal(good) == "");
  const auto with = [&](const std::string& text, int version = 1) { return make_header(text, version) + words(six); };
  const auto shape = [&](const std::string& text) { return with(dictionary("<f4", text)); };

  check_refused("", "does not begin with \\x93NUMPY");
  check_refused("{'descr': '<f4'}", "does not begin with \\x93NUMPY");
  check_refused("PK\x03\x04 and so on", ".npz");
  for (size_t length = 6; length < good.size() - 24; ++length) {
    CAPTURE(length);
    CHECK(refusal(good.substr(0, length)) != "");
  }
  check_refused(good.substr(0, 9), "ends inside the header, after 9 bytes");
  check_refused(good.substr(0, 30), "ends inside the header, after 30 of");
  check_refused("\x93NUMPY\x04\x00\x10\x00"s + good.substr(10), "version 4.0 is unknown");
  check_refused("\x93NUMPY\x01\x07\x10\x00"s + good.substr(10), "version 1.7 is unknown");
  check_refused("\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'"s, "claims a length of 4294967295 bytes");
  check_refused("\x93NUMPY\x02\x00\xff"s, "ends inside the header, after 9 bytes");
  check_refused("\x93NUMPY\x02\x00\xff\x00\x00"s, "ends inside the header, after 11 bytes");
  check_refused("\x93NUMPY\x01\x00\x00\x00"s, "byte 10: the header must begin with");
  check_refused("\x93NUMPY\x01\x00\x01\x00{"s, "byte 11: a key of the header must be a string");

  check_refused(with("{'descr': '<f4', 'fortran_order': False}"), "no key 'shape'");
  check_refused(with("{'descr': '<f4', 'shape': (6,)}"), "no key 'fortran_order'");
  check_refused(with("{'fortran_order': False, 'shape': (6,)}"), "no key 'descr'");
  check_refused(with("{}"), "no key 'descr'");
  check_refused(with("{'descr': '<f4', 'descr': '<f4'}"), "the key 'descr' is given twice");
  check_refused(with("{'descr': '<f4', 'order': 1}"), "unknown key 'order'");
  check_refused(with("{'descr': '<f4' 'shape': (6,)}"), "\",\" or \"}\" must follow");
  check_refused(with("{'descr' '<f4'}"), "\":\" must follow");
  check_refused(with("{'descr': '<f4"), "byte 20: the string has no closing quote");
  check_refused(with("{'descr': '<f4\\x00'}"), "no plain character");
  check_refused(with("{'descr': '\xc3\xa9\xff'}", 3), "no plain character");
  check_refused(with("{'d\0escr': '<f4'}"s), "no plain character");
  check_refused(with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}"), "structured dtype");
  check_refused(with("{'descr': 4}"), "'descr' must be a string");
  check_refused(with("{'descr': '<f4', 'fortran_order': false}"), "must be True or False");
  check_refused(with("{'descr': '<f4', 'fortran_order': 0}"), "must be True or False");
  check_refused(with("{'descr': '<f4', 'fortran_order': Falsely}"), "must follow an entry");
  check_refused(with(dictionary("<f4", "(2, 3)") + "x"), "only spaces may follow");
  check_refused(with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } \xff\n", 3),
                "only spaces may follow");

  for (const std::string type :
       {"<f8", "<i8", "<i2", "|b1", "<c8", "|u1", "<U3", "|O", "", "<", "f", "<<f4", "<f44", "4f"}) {
    CAPTURE(type);
    check_refused(with(dictionary(type, "(2, 3)")), "the elements have the type '" + type + "'");
  }

  check_refused(shape("()"), "no dimensions");
  check_refused(shape("(0, 3)"), "no elements: its shape is (0, 3)");
  check_refused(shape("(1000000000000000000, 1000000000000000000, 0)"), "no elements");
  check_refused(shape("(-2, -3)"), "negative dimension -2");
  check_refused(shape("(-9223372036854775809,)"), "negative dimension");
  check_refused(shape("(6)"), "needs a comma");
  check_refused(shape("6"), "must be a tuple");
  check_refused(shape("[2, 3]"), "must be a tuple");
  check_refused(shape("(,)"), "must be a whole number");
  check_refused(shape("(2,,3)"), "must be a whole number");
  check_refused(shape("(2 3)"), "must follow a dimension");
  check_refused(shape("(2.0, 3)"), "must follow a dimension");
  check_refused(shape("(+2, 3)"), "must be a whole number");
  check_refused(shape("(0x2, 3)"), "must follow a dimension");
  check_refused(shape("(02, 3)"), "may not begin with 0");
  check_refused(shape("(-, 3)"), "must be a whole number");
  check_refused(shape("(2, 3"), "must be a whole number");
  check_refused(shape("(1000000000000000000,)"),
                "the data has 24 bytes, but the shape (1000000000000000000,) of float32 "
                "needs 4000000000000000000: the file is truncated");
  check_refused(shape("(1000000000000000000, 2)"), "more than 2^62 bytes");
  check_refused(shape("(4294967296, 4294967296)"), "more than 2^62 bytes");
  check_refused(shape("(99999999999999999999,)"), "over the largest possible");
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1, ";
  check_refused(shape(many + ")"), "more than 32 dimensions");
  CHECK(refusal(shape("(6" + std::string(10000, ' ') + ",)")) == "");

  check_refused(good.substr(0, good.size() - 1), "the data has 23 bytes");
  check_refused(good + "x", "followed by something else");
}

TEST_CASE("random damage never does worse than a refusal") {
  const std::string seeds[] = {make_header(dictionary("<f4", "(2, 3)")) + words(six),
                               make_header(dictionary(">i4", "(3, 2)", "True"), 2) + words(six, true),
                               make_header(dictionary("<u2", "(12,)"), 3) + words(six)};
  std::mt19937_64 random(7);
  int refused = 0;
  constexpr int rounds = 60000;
  for (int round = 0; round < rounds; ++round) {
    const std::string bytes = vktconv::tests::mutate(seeds[static_cast<size_t>(round) % std::size(seeds)], random);
    try {
      const NpyArray array = parse_npy(bytes, "x.npy");
      // What is let through is whole, and is no larger than what was given.
      REQUIRE(array.bytes() > 0);
      REQUIRE(array.bytes() < bytes.size());
    } catch (const std::invalid_argument& error) {
      REQUIRE(std::string_view(error.what()).starts_with("x.npy: "));
      ++refused;
    }
  }
  CHECK(refused > rounds / 2);
  CHECK(refused < rounds);
}

TEST_CASE("what is written reads back, and the header is laid out as NumPy's") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "y.npy";
  const std::vector<int64_t> shapes[] = {{6}, {2, 3}, {1, 2, 1, 3}};
  for (const std::vector<int64_t>& shape : shapes) {
    write_npy(file, NpyType::f32, shape, six.data());
    const NpyArray array = read_npy(file);
    CHECK(array.shape == shape);
    CHECK(array.type == NpyType::f32);
    CHECK(elements<uint32_t>(array) == six);
    const NpyHeader header = read_npy_header(file);
    CHECK(header.shape == shape);
    CHECK(header.data_offset % 64 == 0);
    CHECK(header.data_bytes == 24);
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  CHECK(bytes.substr(0, 10) == "\x93NUMPY\x01\x00\x76\x00"s);
  CHECK(bytes.find("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1, 3), }") == 10);
  CHECK(bytes[127] == '\n');
  CHECK(bytes.size() == 128 + 24);
  CHECK(folder.file_count() == 1);  // no temporary file stays
}

TEST_CASE("a file is replaced as a whole or not at all") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "y.npy";
  const fs::path link = folder.path() / "link.npy";
  std::ofstream(file) << "precious";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("y.npy", link);
  // Interrupted in the middle of the writing, as by a full disk.
  CHECK_THROWS_AS(
      write_npy(file, NpyType::f32, {6}, six.data(), [](uint64_t, uint64_t) { throw std::runtime_error("stop"); }),
      std::runtime_error);
  CHECK(fs::file_size(file) == 8);
  CHECK(folder.file_count() == 2);

  CHECK_NOTHROW(check_npy_output(link));
  CHECK(fs::file_size(file) == 8);
  write_npy(link, NpyType::f32, {6}, six.data());
  CHECK(fs::is_symlink(fs::symlink_status(link)));
  CHECK(elements<uint32_t>(read_npy(file)) == six);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(folder.file_count() == 2);
}

TEST_CASE("what cannot be read or written is named") {
  const ScratchFolder folder;
  const auto message_of = [](const auto& call) -> std::string {
    try {
      call();
      return "";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  const auto read = [&](const fs::path& file) { return message_of([&] { read_npy(file); }); };
  const auto output = [&](const fs::path& file) { return message_of([&] { check_npy_output(file); }); };
  const std::string name = (folder.path() / "none.npy").string();
  CHECK(read(name) == name + ": there is no such file");
  CHECK(read(folder.path()) == folder.path().string() + ": this is a directory");
  CHECK(read("/dev/null") == "/dev/null: this is not a regular file");
  CHECK(output(folder.path()) == folder.path().string() + ": this is a directory");
  CHECK(output("/dev/null").find("not a regular file") != std::string::npos);
  CHECK(output(folder.path() / "no" / "y.npy").find("cannot write here: No such file or directory") !=
        std::string::npos);
  CHECK(output("").find("no name of a file") != std::string::npos);
  fs::create_symlink("nowhere", folder.path() / "dangling");
  CHECK(output(folder.path() / "dangling").find("link to nowhere") != std::string::npos);
  CHECK(output(name) == "");
  CHECK(folder.file_count() == 1);
}

TEST_SUITE_END();
