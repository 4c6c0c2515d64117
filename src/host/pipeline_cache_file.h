// The data of a VkPipelineCache in a file. A driver trusts what it is given, so only data that this machine's same
// driver gave us, and that has not changed since, ever comes back out of here.
//
// File: 112 bytes of header, then the payload.
//     0  magic "VKTCPIPE"
//     8  format version     u32     12  size of a pointer   u32
//    16  vendor             u32     20  device              u32
//    24  driver version     u32     28  zero                u32
//    32  pipelineCacheUUID  16 bytes
//    48  payload size       u64     56  zero                u64
//    64  SHA-256 of the payload     96  first 16 bytes of the SHA-256 of bytes 0 to 95
// Numbers are in the machine's own byte order: a file from a machine of the other order fails at the version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vktconv::host {

// What compiled pipelines belong to.
struct PipelineCacheOwner {
  uint32_t vendor_id = 0;
  uint32_t device_id = 0;
  uint32_t driver_version = 0;
  std::array<uint8_t, 16> uuid = {};  // VkPhysicalDeviceProperties::pipelineCacheUUID
};

// The payload, or nothing where the file is missing, damaged, truncated, of another format or of another owner;
// why_not, where given, then says what is wrong. Never throws, except for lack of memory.
std::optional<std::vector<std::byte>> read_pipeline_cache_file(const std::filesystem::path& file,
                                                               const PipelineCacheOwner& owner,
                                                               std::string* why_not = nullptr);

// Replaces the file as a whole: a reader, and whoever comes after a crash, finds either the old file or the new one,
// also with several writers at once. Creates the folder. False, with the reason, where the file could not be written;
// what was there before then stays.
bool write_pipeline_cache_file(const std::filesystem::path& file, const PipelineCacheOwner& owner,
                               std::span<const std::byte> payload, std::string* why_not = nullptr);

}  // namespace vktconv::host
