#include "pipeline_cache_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "sha256.h"

namespace vktconv::host {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> file_magic = {'V', 'K', 'T', 'C', 'P', 'I', 'P', 'E'};
constexpr uint32_t format_version = 1;
// Nothing that we write comes near it; a larger file is not ours, and is not read into memory to find out.
constexpr uint64_t max_payload_size = uint64_t{1} << 30;

struct FileHeader {
  std::array<char, 8> magic = file_magic;
  uint32_t version = format_version;
  uint32_t pointer_size = sizeof(void*);
  uint32_t vendor_id = 0;
  uint32_t device_id = 0;
  uint32_t driver_version = 0;
  uint32_t zero = 0;
  std::array<uint8_t, 16> uuid = {};
  uint64_t payload_size = 0;
  uint64_t zero_too = 0;
  std::array<std::byte, 32> payload_digest = {};
  std::array<std::byte, 16> header_digest = {};
};
static_assert(sizeof(FileHeader) == 112 && offsetof(FileHeader, header_digest) == 96);

std::array<std::byte, 16> digest_of_header(const FileHeader& header) {
  const auto bytes = std::as_bytes(std::span(&header, 1)).first(offsetof(FileHeader, header_digest));
  const std::array<std::byte, 32> whole = sha256(bytes);
  std::array<std::byte, 16> half;
  std::copy_n(whole.begin(), half.size(), half.begin());
  return half;
}

FileHeader make_header(const PipelineCacheOwner& owner, std::span<const std::byte> payload) {
  FileHeader header;
  header.vendor_id = owner.vendor_id;
  header.device_id = owner.device_id;
  header.driver_version = owner.driver_version;
  header.uuid = owner.uuid;
  header.payload_size = payload.size();
  header.payload_digest = sha256(payload);
  header.header_digest = digest_of_header(header);
  return header;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  bool close() {
    if (fd_ < 0) return true;
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

bool read_all(int fd, std::span<std::byte> destination) {
  while (!destination.empty()) {
    const ssize_t count = ::read(fd, destination.data(), destination.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    destination = destination.subspan(static_cast<size_t>(count));
  }
  return true;
}

bool write_all(int fd, std::span<const std::byte> source) {
  while (!source.empty()) {
    const ssize_t count = ::write(fd, source.data(), source.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    source = source.subspan(static_cast<size_t>(count));
  }
  return true;
}

std::string with_errno(const char* action, const fs::path& path) {
  return std::string(action) + " " + path.string() + ": " + std::generic_category().message(errno);
}

// Empty: the header is good.
std::string what_is_wrong(const FileHeader& header, const PipelineCacheOwner& owner) {
  if (header.magic != file_magic) return "it is no pipeline cache file of vktconv";
  if (header.version != format_version) return "it has another format version";
  if (header.header_digest != digest_of_header(header)) return "its header is damaged";
  if (header.pointer_size != sizeof(void*)) return "it was written by a program of another pointer size";
  if (header.vendor_id != owner.vendor_id || header.device_id != owner.device_id) return "it belongs to another device";
  if (header.driver_version != owner.driver_version) return "it belongs to another driver version";
  if (header.uuid != owner.uuid) return "it belongs to another driver build";
  if (header.payload_size > max_payload_size) return "its payload is too large";
  return {};
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

std::optional<std::vector<std::byte>> read_pipeline_cache_file(const fs::path& file, const PipelineCacheOwner& owner,
                                                               std::string* why_not) {
  const auto refuse = [why_not](std::string reason) -> std::optional<std::vector<std::byte>> {
    if (why_not != nullptr) *why_not = std::move(reason);
    return std::nullopt;
  };
  // Non-blocking, so that a FIFO in its place cannot hang us.
  FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return refuse(with_errno("cannot open", file));
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return refuse(with_errno("cannot examine", file));
  if (!S_ISREG(status.st_mode)) return refuse("it is no regular file");
  if (static_cast<uint64_t>(status.st_size) < sizeof(FileHeader)) return refuse("it is shorter than its header");

  FileHeader header;
  if (!read_all(fd.get(), std::as_writable_bytes(std::span(&header, 1))))
    return refuse(with_errno("cannot read", file));
  if (std::string reason = what_is_wrong(header, owner); !reason.empty()) return refuse(std::move(reason));
  if (static_cast<uint64_t>(status.st_size) - sizeof(FileHeader) != header.payload_size) {
    return refuse("it is not as long as its header says");
  }
  std::vector<std::byte> payload(static_cast<size_t>(header.payload_size));
  if (!read_all(fd.get(), payload)) return refuse("it is not as long as its header says");
  if (sha256(payload) != header.payload_digest) return refuse("its payload is damaged");
  return payload;
}

bool write_pipeline_cache_file(const fs::path& file, const PipelineCacheOwner& owner,
                               std::span<const std::byte> payload, std::string* why_not) {
  const auto refuse = [why_not](std::string reason) {
    if (why_not != nullptr) *why_not = std::move(reason);
    return false;
  };
  if (payload.size() > max_payload_size) return refuse("the payload is too large");
  std::error_code error;
  const fs::path path = fs::absolute(file, error);
  if (error) return refuse("cannot resolve " + file.string() + ": " + error.message());
  fs::create_directories(path.parent_path(), error);
  if (error) return refuse("cannot create " + path.parent_path().string() + ": " + error.message());
  remove_stale_temporaries(path);

  // A random name: process numbers repeat between containers that share a home.
  std::string temporary = path.string() + temporary_infix + "XXXXXX";
  FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return refuse(with_errno("cannot create", temporary));

  const FileHeader header = make_header(owner, payload);
  // The data must be on the disk before the name is: otherwise a power cut could leave an empty file under it.
  const bool written = write_all(fd.get(), std::as_bytes(std::span(&header, 1))) && write_all(fd.get(), payload) &&
                       ::fsync(fd.get()) == 0 && fd.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    std::string reason = with_errno("cannot write", path);
    ::unlink(temporary.c_str());
    return refuse(std::move(reason));
  }
  // The new name may still be lost to a power cut without this; the old file would then be found, which is no harm.
  FileDescriptor folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.valid()) ::fsync(folder.get());
  return true;
}

}  // namespace vktconv::host
