// Files that are read with suspicion and replaced as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace vktconv::host {

// A regular file that is open for reading.
class InputFile {
 public:
  // Nothing, with the reason, where there is no such file, or it is no regular file: a FIFO in its place cannot hang
  // us.
  static std::optional<InputFile> open(const std::filesystem::path& path, std::string& why_not);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  uint64_t size() const { return size_; }  // when it was opened
  // The next bytes; false where there are fewer.
  bool read(std::span<std::byte> destination);

 private:
  InputFile(int fd, uint64_t size) : fd_(fd), size_(size) {}

  int fd_;
  uint64_t size_;
};

// Replaces the file as a whole by these pieces, one after the other: a reader, and whoever comes after a crash, finds
// either the old file or the new one, also with several writers at once. Creates the folder. False, with the reason,
// where the file could not be written; what was there before then stays.
bool replace_file(const std::filesystem::path& file, std::initializer_list<std::span<const std::byte>> pieces,
                  std::string& why_not);

}  // namespace vktconv::host
