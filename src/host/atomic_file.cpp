#include "atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace vktconv::host {
namespace {

namespace fs = std::filesystem;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  bool close() { return fd_ < 0 || ::close(release()) == 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::span<const std::byte> source) {
  while (!source.empty()) {
    const ssize_t count = ::write(fd, source.data(), source.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    source = source.subspan(static_cast<size_t>(count));
  }
  return true;
}

bool fail_with_errno(const char* action, const fs::path& path, std::string& why_not) {
  why_not = std::string(action) + " " + path.string() + ": " + std::generic_category().message(errno);
  return false;
}

constexpr const char* temporary_infix = ".writing-";

// A writer that was killed leaves its temporary file behind. No writer needs an hour.
void remove_stale_temporaries(const fs::path& file) {
  std::error_code error;
  const std::string prefix = file.filename().string() + temporary_infix;
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator entry(file.parent_path(), error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(prefix)) continue;
    std::error_code ignored;
    const auto written = entry->last_write_time(ignored);
    if (!ignored && now - written > std::chrono::hours(1)) fs::remove(entry->path(), ignored);
  }
}

}  // namespace

std::optional<InputFile> InputFile::open(const fs::path& path, std::string& why_not) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd.valid()) {
    fail_with_errno("cannot open", path, why_not);
  } else if (::fstat(fd.get(), &status) != 0) {
    fail_with_errno("cannot examine", path, why_not);
  } else if (!S_ISREG(status.st_mode)) {
    why_not = "it is no regular file";
  } else {
    return InputFile(fd.release(), static_cast<uint64_t>(status.st_size));
  }
  return std::nullopt;
}

InputFile::InputFile(InputFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool InputFile::read(std::span<std::byte> destination) {
  while (!destination.empty()) {
    const ssize_t count = ::read(fd_, destination.data(), destination.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    destination = destination.subspan(static_cast<size_t>(count));
  }
  return true;
}

bool replace_file(const fs::path& file, std::initializer_list<std::span<const std::byte>> pieces,
                  std::string& why_not) {
  std::error_code error;
  const fs::path path = fs::absolute(file, error);
  if (error) {
    why_not = "cannot resolve " + file.string() + ": " + error.message();
    return false;
  }
  fs::create_directories(path.parent_path(), error);
  if (error) {
    why_not = "cannot create " + path.parent_path().string() + ": " + error.message();
    return false;
  }
  remove_stale_temporaries(path);

  // A random name: process numbers repeat between containers that share a home.
  std::string temporary = path.string() + temporary_infix + "XXXXXX";
  FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return fail_with_errno("cannot create", temporary, why_not);
  const bool written =
      std::all_of(pieces.begin(), pieces.end(), [&](auto piece) { return write_all(fd.get(), piece); });
  // The data must be on the disk before the name is: otherwise a power cut could leave an empty file under it.
  if (!written || ::fsync(fd.get()) != 0 || !fd.close() || ::rename(temporary.c_str(), path.c_str()) != 0) {
    fail_with_errno("cannot write", path, why_not);
    ::unlink(temporary.c_str());
    return false;
  }
  // The new name may still be lost to a power cut without this; the old file would then be found, which is no harm.
  FileDescriptor folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.valid()) ::fsync(folder.get());
  return true;
}

}  // namespace vktconv::host
