#include "command_line.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "reference.h"

namespace vktconv::tests {

namespace fs = std::filesystem;
using namespace std::string_literals;
using support::NpyArray;
using support::NpyType;

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''"s : std::string(1, c);
  return result + "'";
}

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool same_arrays(const support::NpyArray& a, const support::NpyArray& b) {
  return a.type == b.type && a.shape == b.shape && std::memcmp(a.data.get(), b.data.get(), a.bytes()) == 0;
}

Workplace::Workplace() { fs::create_directory(path("cache")); }

CommandOutcome Workplace::call(const Arguments& arguments, const std::string& before, const std::string& out) const {
  std::string command = "cd " + quoted(folder_.path().string()) + "; XDG_CACHE_HOME=" + quoted(path("cache").string()) +
                        "; export XDG_CACHE_HOME; " + (before.empty() ? VKTCONV_CLI_LAUNCHER : before) + " " +
                        quoted(VKTCONV_CLI);
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  command += " > " + out + " 2> error";
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));          // the shell itself
  REQUIRE(WEXITSTATUS(status) < 128);  // the command: never ended by a signal
  return {WEXITSTATUS(status), read_text(path("out")), read_text(path("error"))};
}

CommandOutcome Workplace::call_device(Arguments arguments) const {
  if (const char* device = std::getenv("VKTCONV_TEST_DEVICE")) arguments.insert(arguments.end(), {"--device", device});
  return call(arguments);
}

void Workplace::check(const Arguments& arguments, int exit_code, const std::string& words,
                      const std::string& before) const {
  const CommandOutcome outcome = call(arguments, before);
  std::string line;
  for (const std::string& argument : arguments) line += " " + argument.substr(0, 100);
  CAPTURE(line);
  CAPTURE(words);
  CAPTURE(outcome.error);
  CHECK(outcome.exit_code == exit_code);
  CHECK(outcome.error.starts_with("vktconv: "));
  CHECK(contains(outcome.error, words));
}

void Workplace::write_tensor(const std::string& name, NpyType type, const std::vector<int64_t>& shape,
                             uint64_t seed) const {
  const NpyArray array = make_tensor(type, shape, seed);
  support::write_npy(path(name), type, shape, array.data.get());
}

NpyArray Workplace::make_tensor(NpyType type, const std::vector<int64_t>& shape, uint64_t seed) {
  NpyArray array = {type, shape, nullptr};
  array.data = std::make_unique<std::byte[]>(array.bytes());
  const VktcDataType data_type = type == NpyType::f32   ? VKTC_DATA_TYPE_F32
                                 : type == NpyType::f16 ? VKTC_DATA_TYPE_F16
                                 : type == NpyType::u16 ? VKTC_DATA_TYPE_BF16
                                 : type == NpyType::i8  ? VKTC_DATA_TYPE_I8
                                                        : VKTC_DATA_TYPE_I32;
  reference::fill(data_type, reference::Fill::exact, seed, array.data.get(), array.elements());
  return array;
}

}  // namespace vktconv::tests
