// The table of measured choices and its file: what goes in comes out, and damage is a reason, never a crash.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <support/problem_text.h>

#include "host/tuning_table.h"
#include "scratch_folder.h"

TEST_SUITE_BEGIN("tuning_table");

namespace {

namespace fs = std::filesystem;
using namespace vktconv::host;
using vktconv::tests::ScratchFolder;

DeviceSummary test_summary() {
  DeviceSummary summary;
  summary.name = "Made-up GPU";
  summary.driver = "Driver 1.2";
  summary.vendor_id = 0x10de;
  summary.device_id = 0xffffffff;
  return summary;
}

TuningKey key_of(const char* problem, VktcMemoryAccess access = VKTC_MEMORY_ACCESS_AUTO) {
  return tuning_key(test_summary(), vktconv::support::parse_problem(problem).desc, access);
}

TuningTable parse(const std::string& text) {
  std::string why_not;
  const std::optional<TuningTable> table = TuningTable::parse(text, why_not);
  CAPTURE(why_not);
  REQUIRE(table);
  return *table;
}

std::string read_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

std::string table_of(const std::string& entries) {
  return R"({"format": "vktconv tuning", "version": 1, "entries": [)" + entries + "]}";
}

const std::string sound_entry =
    R"({"device": "Made-up GPU", "vendor_id": 4318, "device_id": 4294967295, "driver": "Driver 1.2",
        "library": "0.1.0", "problem": "ic1iw2_oc3kw4", "memory_access": "auto", "choice": "tiled:1,2",
        "milliseconds": 0.5})";

// sound_entry with a part of its text exchanged.
std::string entry_with(const std::string& part, const std::string& other) {
  std::string entry = sound_entry;
  const size_t at = entry.find(part);
  REQUIRE(at != std::string::npos);
  return entry.replace(at, part.size(), other);
}

}  // namespace

TEST_CASE("A key has every field of the problem, the device, the driver and the library") {
  const TuningKey key = key_of("bias_mb3g2_dtf16_ic4ih5iw6_oc8kh3kw1sh2sw1ph1pw0eh1ew2oph1opw0dh1dw3");
  CHECK(key.problem == "dtf16_g2mb3_ic4ih5iw6_oc8kh3kw1sh2sw1ph1pw0eh1ew2oph1opw0dh1dw3_bias");
  CHECK(key.device == "Made-up GPU");
  CHECK(key.driver == "Driver 1.2");
  CHECK(key.vendor_id == 0x10de);
  CHECK(key.library == std::to_string(VKTC_VERSION_MAJOR) + "." + std::to_string(VKTC_VERSION_MINOR) + "." +
                           std::to_string(VKTC_VERSION_PATCH));
  CHECK(key.memory_access == "auto");
  CHECK(key_of("ic1iw2oc1kw1", VKTC_MEMORY_ACCESS_DESCRIPTORS).memory_access == "descriptors");
  CHECK(key_of("ic1iw2oc1kw1", VKTC_MEMORY_ACCESS_DEVICE_ADDRESS).memory_access == "address");
  // Whatever a driver calls itself.
  DeviceSummary strange = test_summary();
  strange.name = "caf\xe9 \x01 \"GPU\"";
  const TuningKey strange_key = tuning_key(strange, vktconv::support::parse_problem("ic1iw2oc1kw1").desc, {});
  TuningTable table;
  table.put(strange_key, {"gather:1", 1});
  CHECK(parse(table.format()).find(strange_key) != nullptr);
}

TEST_CASE("An entry is found for its own key and no other") {
  TuningTable table;
  const TuningKey key = key_of("ic1iw2oc3kw4");
  table.put(key, {"tiled:1,2", 0.5});
  REQUIRE(table.find(key) != nullptr);
  CHECK(table.find(key)->choice == "tiled:1,2");
  TuningKey other = key;
  SUBCASE("device") { other.device += "!"; }
  SUBCASE("vendor") { other.vendor_id += 1; }
  SUBCASE("device id") { other.device_id -= 1; }
  SUBCASE("driver") { other.driver = "Driver 1.3"; }
  SUBCASE("library") { other.library = "0.1.1"; }
  SUBCASE("problem") { other.problem = key_of("ic1iw2oc3kw5").problem; }
  SUBCASE("memory access") { other.memory_access = "address"; }
  CHECK(table.find(other) == nullptr);
  table.put(other, {"gather:1", 2});
  CHECK(table.find(key)->choice == "tiled:1,2");
  CHECK(table.find(other)->choice == "gather:1");
}

TEST_CASE("An entry for any driver and library gives way to one of its own") {
  const TuningKey key = key_of("ic1iw2oc3kw4");
  TuningKey any = key;
  any.driver.clear();
  any.library.clear();
  TuningTable table;
  table.put(any, {"gather:1", 1});
  table = parse(table.format());
  REQUIRE(table.find(key) != nullptr);
  CHECK(table.find(key)->choice == "gather:1");
  table.put(key, {"tiled:1", 1});
  CHECK(table.find(key)->choice == "tiled:1");
}

TEST_CASE("A table that was formatted is parsed, the same again") {
  TuningTable table;
  CHECK(parse(table.format()).size() == 0);
  for (int i = 1; i <= 5; ++i) {
    table.put(key_of(("ic" + std::to_string(i) + "iw2oc3kw4").c_str()), {"tiled:" + std::to_string(i), 0.25 * i});
  }
  const TuningTable same = parse(table.format());
  CHECK(same.size() == 5);
  CHECK(same.format() == table.format());
  CHECK(same.find(key_of("ic3iw2oc3kw4"))->choice == "tiled:3");
  CHECK(same.find(key_of("ic3iw2oc3kw4"))->milliseconds == 0.75);
}

TEST_CASE("What is no sound table is refused with the reason") {
  REQUIRE(parse(table_of(sound_entry)).size() == 1);
  const auto check = [](const std::string& text, const std::string& reason) {
    CAPTURE(text.substr(0, 200));
    std::string why_not;
    CHECK_FALSE(TuningTable::parse(text, why_not));
    CAPTURE(why_not);
    CHECK(why_not.find(reason) != std::string::npos);
  };
  check("", "it is no JSON");
  check("{", "it is no JSON");
  check("VKTCPIPE", "it is no JSON");
  check(table_of("\"\xff\""), "it is no JSON");
  check("[]", "it is no tuning table");
  check("{}", "it is no tuning table");
  check(R"({"format": 7})", "it is no tuning table");
  check(R"({"format": "vktconv tuning"})", "the key \"version\" is missing");
  check(R"({"format": "vktconv tuning", "version": 2, "entries": []})", "it has another format version");
  check(R"({"format": "vktconv tuning", "version": 1})", "the key \"entries\" is missing");
  check(R"({"format": "vktconv tuning", "version": 1, "entries": {}})", "\"entries\" is no list");
  check(std::string(3000000, '['), "it is nested too deep");
  check(table_of("7"), "entry 1: it is no object");
  check(table_of(sound_entry + ", {}"), "entry 2: the key \"device\" is missing");
  check(table_of(entry_with("4318", "-1")), "\"vendor_id\" is no 32-bit number");
  check(table_of(entry_with("4294967295", "4294967296")), "\"device_id\" is no 32-bit number");
  check(table_of(entry_with("\"Driver 1.2\"", "12")), "\"driver\" is no text");
  check(table_of(entry_with("\"problem\"", "\"problems\"")), "the key \"problem\" is missing");
  check(table_of(entry_with("tiled:1,2", "")), "\"choice\" is empty");
  check(table_of(entry_with("0.5", "-0.5")), "\"milliseconds\" is no time");
  check(table_of(entry_with("0.5", "1e999")), "");
  check(table_of(entry_with("0.5", "null")), "\"milliseconds\" is no time");
}

TEST_CASE("Any damage is refused or read, and nothing worse") {
  TuningTable table;
  for (const char* problem : {"ic1iw2oc3kw4", "ic2iw2oc3kw4"}) table.put(key_of(problem), {"tiled:1,2", 0.5});
  const std::string good = table.format();
  std::mt19937_64 random(20261121);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = good;
    for (uint64_t count = 1 + random() % 4; count > 0; --count) {
      damaged[random() % damaged.size()] = static_cast<char>(random() & 0xff);
    }
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    std::string why_not;
    if (!TuningTable::parse(damaged, why_not)) CHECK(!why_not.empty());
  }
}

TEST_CASE("The table that comes with the library is sound") {
  std::string why_not;
  const std::optional<TuningTable> table = TuningTable::parse(read_text(VKTCONV_SHIPPED_TUNING), why_not);
  CAPTURE(why_not);
  REQUIRE(table);
  CHECK(table->format() == shipped_tuning_table().format());
}

TEST_CASE("A file keeps the entries of others") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "cache" / "tuning.json";
  std::string why_not;
  REQUIRE(read_tuning_file(file, why_not));  // not there: empty
  CHECK(read_tuning_file(file, why_not)->size() == 0);
  TuningKey other = key_of("ic1iw2oc3kw4");
  other.device = "Another GPU";
  other.library = "99.0.0";
  REQUIRE(add_to_tuning_file(file, other, {"magic:1", 1}, why_not));
  const TuningKey key = key_of("ic1iw2oc3kw4");
  REQUIRE(add_to_tuning_file(file, key, {"tiled:1", 2}, why_not));
  REQUIRE(add_to_tuning_file(file, key, {"tiled:2", 1}, why_not));  // measured again
  const std::optional<TuningTable> table = read_tuning_file(file, why_not);
  REQUIRE(table);
  CHECK(table->size() == 2);
  CHECK(table->find(key)->choice == "tiled:2");
  CHECK(table->find(other)->choice == "magic:1");
  CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);  // no temporary file is left
}

TEST_CASE("A file that cannot be used is left as it is") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "tuning.json";
  std::string reason, why_not;
  const auto check = [&] {
    CHECK_FALSE(read_tuning_file(file, reason));
    CHECK(!reason.empty());
    CHECK_FALSE(add_to_tuning_file(file, key_of("ic1iw2oc3kw4"), {"tiled:1", 1}, why_not));
    CHECK(why_not.find(file.string()) != std::string::npos);
    CHECK(why_not.find(reason) != std::string::npos);
  };
  SUBCASE("somebody else's") {
    const std::string text = R"({"precious": true})";
    write_text(file, text);
    check();
    CHECK(read_text(file) == text);
  }
  SUBCASE("of a later format") {
    const std::string text = R"({"format": "vktconv tuning", "version": 2, "entries": []})";
    write_text(file, text);
    check();
    CHECK(read_text(file) == text);
  }
  SUBCASE("a folder") {
    fs::create_directory(file);
    check();
  }
  SUBCASE("a FIFO that nobody writes to") {
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    check();
  }
  SUBCASE("a link that leads nowhere") {
    fs::create_symlink(folder.path() / "nowhere", file);
    check();
  }
  SUBCASE("far too large") {
    write_text(file, table_of(sound_entry));
    fs::resize_file(file, uint64_t{64} << 30);  // sparse
    check();
  }
  CHECK(folder.file_count() == 1);
}

TEST_CASE("A folder that cannot be made is a reason") {
  const ScratchFolder folder;
  write_text(folder.path() / "file", "in the way");
  std::string why_not;
  CHECK_FALSE(add_to_tuning_file(folder.path() / "file" / "tuning.json", key_of("ic1iw2oc3kw4"), {"a:1", 1}, why_not));
  CHECK(why_not.find("file") != std::string::npos);
}

TEST_CASE("A reader among writers always finds a whole table") {
  const ScratchFolder folder;
  const fs::path file = folder.path() / "tuning.json";
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      std::string why_not;
      const TuningKey key = key_of(("ic" + std::to_string(writer + 1) + "iw2oc3kw4").c_str());
      for (int round = 0; round < 20; ++round) add_to_tuning_file(file, key, {"tiled:1", 1}, why_not);
    });
  }
  bool whole = true;
  std::string why_not;
  for (int round = 0; round < 200; ++round) whole = whole && read_tuning_file(file, why_not).has_value();
  for (std::thread& writer : writers) writer.join();
  CHECK_MESSAGE(whole, why_not);
  CHECK(read_tuning_file(file, why_not)->size() >= 1);
}

TEST_SUITE_END();
