// The file of compiled pipelines: what goes in comes out, and nothing else ever does.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "host/pipeline_cache_file.h"
#include "host/sha256.h"
#include "scratch_folder.h"

TEST_SUITE_BEGIN("pipeline_cache_file");

namespace {

namespace fs = std::filesystem;
using namespace vktconv::host;
using vktconv::tests::ScratchFolder;
using Bytes = std::vector<std::byte>;

constexpr size_t header_size = 112;

Bytes random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 0xff);
  return bytes;
}

PipelineCacheOwner test_owner() {
  PipelineCacheOwner owner;
  owner.vendor_id = 0x10de;
  owner.device_id = 0x2335;
  owner.driver_version = 0x91300640;
  for (size_t i = 0; i < owner.uuid.size(); ++i) owner.uuid[i] = static_cast<uint8_t>(17 * i + 3);
  return owner;
}

Bytes read_bytes(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const auto bytes = std::as_bytes(std::span(text));
  return Bytes(bytes.begin(), bytes.end());
}

void write_bytes(const fs::path& file, std::span<const std::byte> bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(stream.good());
}

std::string hex(const std::array<std::byte, 32>& digest) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : digest) {
    text += digits[std::to_integer<size_t>(byte >> 4)];
    text += digits[std::to_integer<size_t>(byte & std::byte{15})];
  }
  return text;
}

std::string sha256_of(std::string_view text) { return hex(sha256(std::as_bytes(std::span(text)))); }

// Refused, with a reason.
void check_refused(const fs::path& file, const PipelineCacheOwner& owner) {
  std::string why_not;
  CHECK_FALSE(read_pipeline_cache_file(file, owner, &why_not));
  CHECK_FALSE(why_not.empty());
}

}  // namespace

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(sha256_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_of(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  // Around the sizes at which the padding takes another block.
  CHECK(sha256_of(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  CHECK(sha256_of(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  CHECK(sha256_of(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

TEST_CASE("What was written is read") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{32}, size_t{4096}, size_t{1} << 20}) {
    const Bytes payload = random_bytes(size, size);
    REQUIRE(write_pipeline_cache_file(file, test_owner(), payload));
    const std::optional<Bytes> read = read_pipeline_cache_file(file, test_owner());
    REQUIRE(read);
    CHECK(*read == payload);
    CHECK(fs::file_size(file) == header_size + size);
    CHECK(folder.file_count() == 1);  // no temporary file is left
  }
}

TEST_CASE("A missing folder is created") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "cache" / "vktconv" / "pipelines.bin";
  check_refused(file, test_owner());
  REQUIRE(write_pipeline_cache_file(file, test_owner(), random_bytes(100, 1)));
  CHECK(read_pipeline_cache_file(file, test_owner()) == random_bytes(100, 1));
}

TEST_CASE("A file of another owner is refused") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  REQUIRE(write_pipeline_cache_file(file, test_owner(), random_bytes(100, 1)));
  PipelineCacheOwner other = test_owner();
  SUBCASE("vendor") { other.vendor_id += 1; }
  SUBCASE("device") { other.device_id ^= 0x100; }
  SUBCASE("driver version") { other.driver_version += 1; }
  SUBCASE("first byte of the UUID") { other.uuid[0] ^= 1; }
  SUBCASE("last byte of the UUID") { other.uuid[15] ^= 0x80; }
  check_refused(file, other);
  // Its owner may replace it.
  REQUIRE(write_pipeline_cache_file(file, other, random_bytes(50, 2)));
  CHECK(read_pipeline_cache_file(file, other) == random_bytes(50, 2));
  check_refused(file, test_owner());
}

TEST_CASE("A file with any bit changed is refused") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  REQUIRE(write_pipeline_cache_file(file, test_owner(), random_bytes(200, 1)));
  const Bytes good = read_bytes(file);
  REQUIRE(good.size() == header_size + 200);

  // Every bit of the header, and of the payload's ends.
  for (size_t at = 0; at < good.size(); ++at) {
    if (at >= header_size + 8 && at < good.size() - 8) continue;
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = good;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      write_bytes(file, damaged);
      CAPTURE(at);
      check_refused(file, test_owner());
    }
  }
  // One to eight bytes anywhere replaced by others.
  std::mt19937_64 random(20261121);
  for (int round = 0; round < 1000; ++round) {
    Bytes damaged = good;
    for (uint64_t count = 1 + random() % 8; count > 0; --count) {
      damaged[random() % damaged.size()] = static_cast<std::byte>(random() & 0xff);
    }
    if (damaged == good) continue;
    write_bytes(file, damaged);
    CAPTURE(round);
    check_refused(file, test_owner());
  }
  write_bytes(file, good);
  CHECK(read_pipeline_cache_file(file, test_owner()).has_value());
}

TEST_CASE("A file of any other length is refused") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  REQUIRE(write_pipeline_cache_file(file, test_owner(), random_bytes(300, 1)));
  const Bytes good = read_bytes(file);
  for (size_t size = 0; size < good.size(); ++size) {
    write_bytes(file, std::span(good).first(size));
    CAPTURE(size);
    check_refused(file, test_owner());
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  write_bytes(file, longer);
  check_refused(file, test_owner());
}

TEST_CASE("A header that promises a huge payload costs no memory") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  REQUIRE(write_pipeline_cache_file(file, test_owner(), random_bytes(16, 1)));
  // A sparse file of 64 GiB whose header, digest and all, agrees with its length.
  Bytes bytes = read_bytes(file);
  const uint64_t promised = uint64_t{64} << 30;
  for (size_t i = 0; i < 8; ++i) bytes[48 + i] = static_cast<std::byte>(promised >> (8 * i));
  const std::array<std::byte, 32> digest = sha256(std::span(bytes).first(96));
  std::copy_n(digest.begin(), 16, bytes.begin() + 96);
  write_bytes(file, bytes);
  if (::truncate(file.c_str(), static_cast<off_t>(header_size + promised)) == 0) check_refused(file, test_owner());
  write_bytes(file, bytes);
  check_refused(file, test_owner());
}

TEST_CASE("What is no regular file is refused, at once") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  SUBCASE("a folder") {
    fs::create_directory(file);
    std::string why_not;
    CHECK_FALSE(write_pipeline_cache_file(file, test_owner(), random_bytes(16, 1), &why_not));
    CHECK_FALSE(why_not.empty());
    CHECK(folder.file_count() == 1);
  }
  SUBCASE("a FIFO that nobody writes to") { REQUIRE(::mkfifo(file.c_str(), 0600) == 0); }
  SUBCASE("a link that leads nowhere") { fs::create_symlink(folder.path() / "nowhere", file); }
  check_refused(file, test_owner());
}

TEST_CASE("A folder that cannot be made is a reason, no exception") {
  const ScratchFolder folder;
  write_bytes(folder.path() / "file", random_bytes(1, 1));
  std::string why_not;
  CHECK_FALSE(
      write_pipeline_cache_file(folder.path() / "file" / "pipelines.bin", test_owner(), random_bytes(16, 1), &why_not));
  CHECK(why_not.find("file") != std::string::npos);
}

TEST_CASE("Temporary files of the dead are removed, those of the living are not") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  const fs::path dead = folder.path() / "pipelines.bin.writing-abcdef";
  const fs::path living = folder.path() / "pipelines.bin.writing-ghijkl";
  const fs::path other = folder.path() / "pipelines.bin.old";
  for (const fs::path& path : {dead, living, other}) write_bytes(path, random_bytes(10, 1));
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  fs::last_write_time(dead, yesterday);
  fs::last_write_time(other, yesterday);
  REQUIRE(write_pipeline_cache_file(file, test_owner(), random_bytes(10, 2)));
  CHECK_FALSE(fs::exists(dead));
  CHECK(fs::exists(living));
  CHECK(fs::exists(other));
}

TEST_CASE("Writers at once leave one of their files") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  constexpr uint64_t writers = 4;
  std::array<bool, writers> written = {};
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      const Bytes payload = random_bytes(5000 + 100 * writer, writer);
      bool all = true;
      for (int round = 0; round < 10; ++round) all = write_pipeline_cache_file(file, test_owner(), payload) && all;
      written[writer] = all;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t writer = 0; writer < writers; ++writer) CHECK(written[writer]);
  const std::optional<Bytes> read = read_pipeline_cache_file(file, test_owner());
  REQUIRE(read);
  const uint64_t winner = (read->size() - 5000) / 100;
  CHECK(*read == random_bytes(5000 + 100 * winner, winner));
  CHECK(folder.file_count() == 1);
}

TEST_CASE("A writer killed at any moment leaves the old file or the new one") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "pipelines.bin";
  const Bytes payloads[] = {random_bytes(200000, 0), random_bytes(300000, 1)};
  REQUIRE(write_pipeline_cache_file(file, test_owner(), payloads[0]));
  std::mt19937_64 random(7);
  size_t killed_while_writing = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      for (size_t i = 0;; ++i) write_pipeline_cache_file(file, test_owner(), payloads[i % 2]);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20000));
    REQUIRE(::kill(writer, SIGKILL) == 0);
    REQUIRE(::waitpid(writer, nullptr, 0) == writer);
    const std::optional<Bytes> read = read_pipeline_cache_file(file, test_owner());
    REQUIRE(read);
    CHECK((*read == payloads[0] || *read == payloads[1]));
    if (folder.file_count() > 1 + killed_while_writing) ++killed_while_writing;
  }
  // Otherwise the test has tested nothing.
  CHECK(killed_while_writing > 0);
}

TEST_SUITE_END();
