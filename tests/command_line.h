// The command vktconv as a user or a script runs it: in a folder with files, through a shell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "scratch_folder.h"
#include "support/npy.h"

namespace vktconv::tests {

using Arguments = std::vector<std::string>;

struct CommandOutcome {
  int exit_code = -1;
  std::string out, error;
};

std::string quoted(const std::string& text);  // for the shell
std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);
bool contains(const std::string& text, const std::string& part);
bool same_arrays(const support::NpyArray& a, const support::NpyArray& b);

// A folder with files for the command, which runs in it. The user's cache folder is inside.
class Workplace {
 public:
  Workplace();

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  size_t file_count() const { return folder_.file_count(); }

  // before: what the shell does first, for example "ulimit -v 1000;" or "VARIABLE=1"; the launcher is then left out,
  // which has its own environment.
  CommandOutcome call(const Arguments& arguments, const std::string& before = "", const std::string& out = "out") const;

  // Adds the device under test.
  CommandOutcome call_device(Arguments arguments) const;

  // Calls, and checks the exit code and that the message has these words.
  void check(const Arguments& arguments, int exit_code, const std::string& words, const std::string& before = "") const;

  // A file of small whole numbers, which no type rounds, not in products and sums either.
  void write_tensor(const std::string& name, support::NpyType type, const std::vector<int64_t>& shape,
                    uint64_t seed) const;
  static support::NpyArray make_tensor(support::NpyType type, const std::vector<int64_t>& shape, uint64_t seed);

 private:
  ScratchFolder folder_;
};

}  // namespace vktconv::tests
