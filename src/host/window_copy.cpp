#include "window_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace vktconv::host {
namespace {

// Runs shorter than this are gathered on the host, so that the device copies few large pieces rather than many small.
constexpr size_t long_run = size_t{4} << 20;
// How much is gathered, or downloaded, at a time.
constexpr size_t piece_size = size_t{64} << 20;
// How many runs of a piece are remembered until the piece has arrived.
constexpr size_t most_runs = size_t{1} << 20;

// A contiguous part of the array, and where it belongs within the piece.
struct Run {
  std::byte* array;
  size_t bytes;
};

// Runs of the array that follow each other in the buffer.
class Piece {
 public:
  explicit Piece(size_t whole_bytes) : capacity_(std::min(whole_bytes, piece_size)) {}

  bool accepts(size_t bytes) const { return bytes_ + bytes <= capacity_ && runs_.size() < most_runs; }
  void add(const Run& run) {
    runs_.push_back(run);
    bytes_ += run.bytes;
  }
  bool empty() const { return runs_.empty(); }
  size_t bytes() const { return bytes_; }

  // The dense copy; allocated at the first use, for most windows are one run.
  std::byte* dense() {
    if (dense_.empty()) dense_.resize(capacity_);
    return dense_.data();
  }
  void gather() {
    size_t at = 0;
    for (const Run& run : runs_) {
      std::memcpy(dense() + at, run.array, run.bytes);
      at += run.bytes;
    }
  }
  void scatter() {
    size_t at = 0;
    for (const Run& run : runs_) {
      std::memcpy(run.array, dense() + at, run.bytes);
      at += run.bytes;
    }
  }
  void clear() {
    runs_.clear();
    bytes_ = 0;
  }

 private:
  size_t capacity_;
  size_t bytes_ = 0;
  std::vector<Run> runs_;
  std::vector<std::byte> dense_;
};

size_t bytes_of(const Window& window, int64_t element_size) {
  return static_cast<size_t>(window.elements() * element_size);
}

}  // namespace

void upload_window(Buffer& buffer, const Window& window, int64_t element_size, const void* array) {
  // The runs are only read from here.
  auto* base = const_cast<std::byte*>(static_cast<const std::byte*>(array));
  Piece piece(bytes_of(window, element_size));
  VkDeviceSize offset = 0;
  const auto flush = [&] {
    if (piece.empty()) return;
    piece.gather();
    buffer.upload(piece.dense(), piece.bytes(), offset);
    offset += piece.bytes();
    piece.clear();
  };
  for_each_run(window, [&](int64_t first, int64_t length) {
    const Run run = {base + first * element_size, static_cast<size_t>(length * element_size)};
    if (run.bytes >= long_run || !piece.accepts(run.bytes)) flush();
    if (run.bytes < long_run) {
      piece.add(run);
      return;
    }
    buffer.upload(run.array, run.bytes, offset);
    offset += run.bytes;
  });
  flush();
}

void download_window(Buffer& buffer, const Window& window, int64_t element_size, void* array,
                     const std::function<void(uint64_t bytes)>& copied) {
  auto* base = static_cast<std::byte*>(array);
  Piece piece(bytes_of(window, element_size));
  VkDeviceSize offset = 0;
  const auto arrived = [&](size_t bytes) {
    offset += bytes;
    if (copied) copied(bytes);
  };
  const auto flush = [&] {
    if (piece.empty()) return;
    buffer.download(piece.dense(), piece.bytes(), offset);
    piece.scatter();
    arrived(piece.bytes());
    piece.clear();
  };
  for_each_run(window, [&](int64_t first, int64_t length) {
    const Run run = {base + first * element_size, static_cast<size_t>(length * element_size)};
    if (run.bytes >= long_run || !piece.accepts(run.bytes)) flush();
    if (run.bytes < long_run) {
      piece.add(run);
      return;
    }
    for (size_t done = 0; done < run.bytes;) {
      const size_t bytes = std::min(run.bytes - done, piece_size);
      buffer.download(run.array + done, bytes, offset);
      arrived(bytes);
      done += bytes;
    }
  });
  flush();
}

}  // namespace vktconv::host
