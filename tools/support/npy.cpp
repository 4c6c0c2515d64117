#include "npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <stdexcept>
#include <system_error>

#if defined(__unix__)
#include <unistd.h>
#endif

namespace vktconv::support {
namespace {

namespace fs = std::filesystem;

constexpr size_t chunk_bytes = size_t{16} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void refuse(const std::string& source, const std::string& reason) {
  throw std::invalid_argument(fmt::format("{}: {}", source, reason));
}

[[noreturn]] void fail(const std::string& source, const std::string& action, int code) {
  throw std::runtime_error(fmt::format("{}: cannot {}: {}", source, action, std::generic_category().message(code)));
}

// Lets the sentences of npy_header.h begin with the name of the file.
template <typename Call>
auto with_source(const std::string& source, Call call) {
  try {
    return call();
  } catch (const std::invalid_argument& exception) {
    refuse(source, exception.what());
  }
}

void check_data_size(const NpyHeader& header, uint64_t file_bytes, const std::string& source) {
  const uint64_t present = file_bytes - header.data_offset;
  if (present == header.data_bytes) return;
  refuse(source, fmt::format("the data has {} bytes, but the shape {} of {} needs {}: the file is {}", present,
                             format_shape(header.shape), npy_type_name(header.type), header.data_bytes,
                             present < header.data_bytes ? "truncated" : "followed by something else"));
}

std::unique_ptr<std::byte[]> allocate(uint64_t bytes, const std::string& source) {
  if (bytes <= static_cast<uint64_t>(std::numeric_limits<ptrdiff_t>::max())) {
    try {
      return std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(bytes));
    } catch (const std::bad_alloc&) {
    }
  }
  throw std::runtime_error(fmt::format("{}: there is not enough memory for its {} bytes", source, bytes));
}

void swap_bytes(std::byte* data, size_t bytes, size_t element_size) {
  for (std::byte* element = data; element != data + bytes; element += element_size) {
    std::reverse(element, element + element_size);
  }
}

// From Fortran order, where the first index runs fastest, to C order.
template <typename Element>
void reorder(const std::vector<int64_t>& shape, const Element* source, Element* destination, int64_t elements) {
  std::vector<int64_t> strides(shape.size(), 1), index(shape.size(), 0);
  for (size_t axis = 1; axis < shape.size(); ++axis) strides[axis] = strides[axis - 1] * shape[axis - 1];
  int64_t offset = 0;
  for (int64_t element = 0; element < elements; ++element) {
    destination[element] = source[offset];
    for (size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

// Brings what the file holds into this machine's byte order and C order.
NpyArray make_array(const NpyHeader& header, std::unique_ptr<std::byte[]> data, const std::string& source) {
  const size_t size = npy_type_size(header.type);
  const auto bytes = static_cast<size_t>(header.data_bytes);
  if (header.foreign_byte_order) swap_bytes(data.get(), bytes, size);
  NpyArray array = {header.type, header.shape, std::move(data)};
  const auto wide = std::count_if(header.shape.begin(), header.shape.end(), [](int64_t n) { return n > 1; });
  if (header.fortran_order && wide > 1) {
    std::unique_ptr<std::byte[]> ordered = allocate(header.data_bytes, source);
    if (size == 1) {
      reorder(array.shape, reinterpret_cast<const uint8_t*>(array.data.get()),
              reinterpret_cast<uint8_t*>(ordered.get()), array.elements());
    } else if (size == 2) {
      reorder(array.shape, reinterpret_cast<const uint16_t*>(array.data.get()),
              reinterpret_cast<uint16_t*>(ordered.get()), array.elements());
    } else {
      reorder(array.shape, reinterpret_cast<const uint32_t*>(array.data.get()),
              reinterpret_cast<uint32_t*>(ordered.get()), array.elements());
    }
    array.data = std::move(ordered);
  }
  return array;
}

struct OpenNpy {
  File file;
  NpyHeader header;
};

// Opens a file and leaves it at the beginning of its data, which has the size that the header says.
OpenNpy open_npy(const fs::path& path) {
  const std::string source = path.string();
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (!fs::exists(status)) {
    refuse(source, status.type() == fs::file_type::not_found ? "there is no such file" : failure.message());
  }
  if (fs::is_directory(status)) refuse(source, "this is a directory");
  if (!fs::is_regular_file(status)) refuse(source, "this is not a regular file");
  const uintmax_t file_bytes = fs::file_size(path, failure);
  if (failure) fail(source, "read the size", failure.value());
  OpenNpy result;
  result.file.reset(std::fopen(source.c_str(), "rb"));
  if (!result.file) refuse(source, fmt::format("cannot open: {}", std::generic_category().message(errno)));
  const auto read_up_to = [&](std::string& bytes, size_t size) {
    const size_t before = bytes.size();
    bytes.resize(size);
    bytes.resize(before + std::fread(bytes.data() + before, 1, size - before, result.file.get()));
    if (std::ferror(result.file.get()) != 0) fail(source, "read", errno);
  };
  std::string bytes;
  read_up_to(bytes, npy_prefix_bytes);
  const size_t header_bytes = with_source(source, [&] { return npy_header_size(bytes); });
  if (header_bytes < bytes.size()) {  // A version 1.0 header shorter than two bytes is refused below.
    bytes.resize(header_bytes);
    std::fseek(result.file.get(), static_cast<long>(header_bytes), SEEK_SET);
  } else {
    read_up_to(bytes, header_bytes);
  }
  if (bytes.size() < header_bytes) {
    refuse(source, fmt::format("the file ends inside the header, after {} of {} bytes", bytes.size(), header_bytes));
  }
  result.header = with_source(source, [&] { return parse_npy_header(bytes); });
  check_data_size(result.header, file_bytes, source);
  return result;
}

std::string temporary_name(const fs::path& target) {
  std::random_device random;
  return (target.parent_path() / fmt::format(".{}.{:08x}.tmp", target.filename().string(), random())).string();
}

// Removes the temporary file unless it has been renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& target)
      : path_(temporary_name(target)), file_(std::fopen(path_.c_str(), "wbx")) {
    if (!file_) error_ = errno;
  }
  ~TemporaryFile() {
    file_.reset();
    std::error_code ignored;
    if (error_ == 0 && !renamed_) fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int error() const { return error_; }  // of creating it; 0: it is there

  bool write(const void* data, size_t bytes) { return std::fwrite(data, 1, bytes, file_.get()) == bytes; }

  // Only after this may the file be renamed: what is still in memory could otherwise be lost after the rename.
  bool close() {
    bool good = std::fflush(file_.get()) == 0;
#if defined(__unix__)
    good = good && fsync(fileno(file_.get())) == 0;
#endif
    return std::fclose(file_.release()) == 0 && good;
  }

  void rename(const fs::path& target, std::error_code& failure) {
    std::error_code none;
    const fs::file_status existing = fs::status(target, none);
    if (fs::exists(existing)) fs::permissions(path_, existing.permissions(), none);
    fs::rename(path_, target, failure);
    renamed_ = !failure;
  }

 private:
  std::string path_;
  File file_;
  int error_ = 0;
  bool renamed_ = false;
};

// The file that a path leads to, through symbolic links, so that the link stays and its target is replaced.
fs::path resolve_target(const fs::path& file) {
  std::error_code failure;
  const fs::file_status status = fs::status(file, failure);
  if (fs::is_directory(status)) refuse(file.string(), "this is a directory");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    refuse(file.string(), "this is not a regular file and cannot be replaced by one");
  }
  if (!fs::exists(status)) {
    if (fs::is_symlink(fs::symlink_status(file, failure))) refuse(file.string(), "this is a link to nowhere");
    if (!file.has_filename()) refuse(file.string(), "this is no name of a file");
    return file;
  }
  fs::path target = fs::canonical(file, failure);
  if (failure) refuse(file.string(), failure.message());
  return target;
}

}  // namespace

int64_t NpyArray::elements() const {
  int64_t product = 1;
  for (const int64_t dimension : shape) product *= dimension;
  return product;
}

size_t NpyArray::bytes() const { return static_cast<size_t>(elements()) * npy_type_size(type); }

NpyArray read_npy(const fs::path& file, const ByteProgress& progress) {
  OpenNpy open = open_npy(file);
  const std::string source = file.string();
  std::unique_ptr<std::byte[]> data = allocate(open.header.data_bytes, source);
  const auto total = static_cast<size_t>(open.header.data_bytes);
  for (size_t done = 0; done < total;) {
    const size_t count = std::fread(data.get() + done, 1, std::min(chunk_bytes, total - done), open.file.get());
    if (count == 0 && std::ferror(open.file.get()) != 0) fail(source, "read", errno);
    if (count == 0) refuse(source, fmt::format("the file has become shorter: it ends after {} bytes of data", done));
    done += count;
    if (progress) progress(done, total);
  }
  return make_array(open.header, std::move(data), source);
}

NpyHeader read_npy_header(const fs::path& file) { return open_npy(file).header; }

NpyArray parse_npy(std::string_view bytes, const std::string& source) {
  const size_t header_bytes = with_source(source, [&] { return npy_header_size(bytes.substr(0, npy_prefix_bytes)); });
  if (bytes.size() < header_bytes) {
    refuse(source, fmt::format("the file ends inside the header, after {} of {} bytes", bytes.size(), header_bytes));
  }
  const NpyHeader header = with_source(source, [&] { return parse_npy_header(bytes.substr(0, header_bytes)); });
  check_data_size(header, bytes.size(), source);
  std::unique_ptr<std::byte[]> data = allocate(header.data_bytes, source);
  std::memcpy(data.get(), bytes.data() + header_bytes, static_cast<size_t>(header.data_bytes));
  return make_array(header, std::move(data), source);
}

void check_npy_output(const fs::path& file) {
  const TemporaryFile probe(resolve_target(file));
  if (probe.error() != 0) {
    refuse(file.string(), fmt::format("cannot write here: {}", std::generic_category().message(probe.error())));
  }
}

void write_npy(const fs::path& file, NpyType type, const std::vector<int64_t>& shape, const void* data,
               const ByteProgress& progress) {
  const std::string source = file.string();
  const fs::path target = resolve_target(file);
  const std::string header = format_npy_header(type, shape);
  size_t total = npy_type_size(type);
  for (const int64_t dimension : shape) total *= static_cast<size_t>(dimension);
  TemporaryFile temporary(target);
  if (temporary.error() != 0) fail(source, "write", temporary.error());
  if (!temporary.write(header.data(), header.size())) fail(source, "write", errno);
  for (size_t done = 0; done < total;) {
    const size_t count = std::min(chunk_bytes, total - done);
    if (!temporary.write(static_cast<const std::byte*>(data) + done, count)) fail(source, "write", errno);
    done += count;
    if (progress) progress(done, total);
  }
  if (!temporary.close()) fail(source, "write", errno);
  std::error_code failure;
  temporary.rename(target, failure);
  if (failure) fail(source, "rename the temporary file to it", failure.value());
}

}  // namespace vktconv::support
