#include "pipeline_cache_file.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "atomic_file.h"
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

}  // namespace

std::optional<std::vector<std::byte>> read_pipeline_cache_file(const fs::path& file, const PipelineCacheOwner& owner,
                                                               std::string* why_not) {
  const auto refuse = [why_not](std::string reason) -> std::optional<std::vector<std::byte>> {
    if (why_not != nullptr) *why_not = std::move(reason);
    return std::nullopt;
  };
  std::string reason;
  std::optional<InputFile> input = InputFile::open(file, reason);
  if (!input) return refuse(std::move(reason));
  FileHeader header;
  if (!input->read(std::as_writable_bytes(std::span(&header, 1)))) return refuse("it is shorter than its header");
  reason = what_is_wrong(header, owner);
  if (!reason.empty()) return refuse(std::move(reason));
  if (input->size() - sizeof(FileHeader) != header.payload_size) return refuse("it is not as long as its header says");
  std::vector<std::byte> payload(static_cast<size_t>(header.payload_size));
  if (!input->read(payload)) return refuse("it is not as long as its header says");
  if (sha256(payload) != header.payload_digest) return refuse("its payload is damaged");
  return payload;
}

bool write_pipeline_cache_file(const fs::path& file, const PipelineCacheOwner& owner,
                               std::span<const std::byte> payload, std::string* why_not) {
  std::string reason;
  bool written = false;
  if (payload.size() > max_payload_size) {
    reason = "the payload is too large";
  } else {
    const FileHeader header = make_header(owner, payload);
    written = replace_file(file, {std::as_bytes(std::span(&header, 1)), payload}, reason);
  }
  if (!written && why_not != nullptr) *why_not = std::move(reason);
  return written;
}

}  // namespace vktconv::host
