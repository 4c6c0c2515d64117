#include "staging.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "raise.h"

namespace vktconv::host {
namespace {

constexpr VkDeviceSize least_chunk = VkDeviceSize{64} << 10;

}  // namespace

class Staging::Lease {
 public:
  Lease(Staging& owner, VkDeviceSize bytes) : owner_(owner) {
    {
      const std::lock_guard lock(owner_.mutex_);
      if (!owner_.free_.empty()) {
        chunks_ = owner_.free_.back();
        owner_.free_.pop_back();
      }
    }
    const VkDeviceSize wanted = std::clamp(std::bit_ceil(bytes), least_chunk, largest_chunk);
    if (chunks_.size < wanted) owner_.grow(chunks_, wanted);
  }
  ~Lease() {
    try {
      const std::lock_guard lock(owner_.mutex_);
      owner_.free_.push_back(chunks_);
    } catch (...) {
      owner_.free(chunks_);
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  const Allocation& chunk(size_t index) const { return chunks_.chunks[index]; }
  VkDeviceSize size() const { return chunks_.size; }

 private:
  Staging& owner_;
  Chunks chunks_;
};

Staging::~Staging() {
  for (Chunks& chunks : free_) free(chunks);
}

void Staging::grow(Chunks& chunks, VkDeviceSize size) {
  free(chunks);
  for (Allocation& chunk : chunks.chunks) {
    const VkResult result = memory_.allocate(size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                                             MemoryKind::staging, chunk);
    if (result != VK_SUCCESS) {
      free(chunks);
      queue_.check(result, "vkAllocateMemory for staging");
    }
  }
  chunks.size = size;
}

void Staging::free(Chunks& chunks) {
  for (Allocation& chunk : chunks.chunks) memory_.free(chunk);
  chunks.size = 0;
}

void Staging::upload(const void* source, VkBuffer destination, VkDeviceSize offset, VkDeviceSize bytes) {
  const Lease lease(*this, bytes);
  std::array<std::optional<Submission>, 2> copies;  // after the lease: they end before it does
  size_t turn = 0;
  for (VkDeviceSize done = 0; done < bytes; turn ^= 1) {
    const VkDeviceSize size = std::min(lease.size(), bytes - done);
    const Allocation& chunk = lease.chunk(turn);
    if (copies[turn]) copies[turn]->wait();
    std::memcpy(chunk.mapped, static_cast<const std::byte*>(source) + done, static_cast<size_t>(size));
    queue_.check(memory_.flush(chunk, 0, size), "vkFlushMappedMemoryRanges");
    copies[turn].emplace(queue_);
    const VkBufferCopy region = {0, offset + done, size};
    queue_.functions().vkCmdCopyBuffer(copies[turn]->commands(), chunk.buffer, destination, 1, &region);
    copies[turn]->submit();
    done += size;
  }
  for (std::optional<Submission>& copy : copies) {
    if (copy) copy->wait();
  }
}

void Staging::download(VkBuffer source, VkDeviceSize offset, void* destination, VkDeviceSize bytes) {
  const Lease lease(*this, bytes);
  struct Copy {
    std::optional<Submission> submission;
    VkDeviceSize begin = 0, size = 0;
  };
  std::array<Copy, 2> copies;
  const auto finish = [&](size_t turn) {
    Copy& copy = copies[turn];
    if (!copy.submission) return;
    copy.submission->wait();
    copy.submission.reset();
    queue_.check(memory_.invalidate(lease.chunk(turn), 0, copy.size), "vkInvalidateMappedMemoryRanges");
    std::memcpy(static_cast<std::byte*>(destination) + copy.begin, lease.chunk(turn).mapped,
                static_cast<size_t>(copy.size));
  };
  size_t turn = 0;
  for (VkDeviceSize begun = 0; begun < bytes; turn ^= 1) {
    finish(turn);
    Copy& copy = copies[turn];
    copy.begin = begun;
    copy.size = std::min(lease.size(), bytes - begun);
    copy.submission.emplace(queue_);
    const VkBufferCopy region = {offset + begun, 0, copy.size};
    queue_.functions().vkCmdCopyBuffer(copy.submission->commands(), source, lease.chunk(turn).buffer, 1, &region);
    copy.submission->submit();
    begun += copy.size;
  }
  finish(turn);
  finish(turn ^ 1);
}

}  // namespace vktconv::host
