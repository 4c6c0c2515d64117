#include "tuning_table.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "../desc_text.h"
#include "atomic_file.h"
#include "raise.h"

namespace vktconv::host {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* format_name = "vktconv tuning";
constexpr int format_version = 1;
// A hundred thousand entries. What is larger, or nested deeper, was not written by us, and is not read to find out.
constexpr uint64_t largest_file = uint64_t{32} << 20;
constexpr int deepest_nesting = 3;

// Why a text is no table. Never leaves this file.
class BadTable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Json parse_json(std::string_view text) {
  const auto check = [](int depth, Json::parse_event_t event, Json&) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= deepest_nesting) throw BadTable("it is nested too deep");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::exception& error) {
    throw BadTable(std::string("it is no JSON: ") + error.what());
  }
}

const Json& member(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) throw BadTable(std::string("the key \"") + key + "\" is missing");
  return *found;
}

std::string text_member(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) throw BadTable(std::string("the value of \"") + key + "\" is no text");
  return value.get<std::string>();
}

// Absent in a table that is meant for any.
std::string optional_text_member(const Json& object, const char* key) {
  return object.contains(key) ? text_member(object, key) : std::string();
}

uint32_t id_member(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_number_unsigned() || value.get<uint64_t>() > UINT32_MAX) {
    throw BadTable(std::string("the value of \"") + key + "\" is no 32-bit number");
  }
  return value.get<uint32_t>();
}

double time_member(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0) {
    throw BadTable(std::string("the value of \"") + key + "\" is no time");
  }
  return value.get<double>();
}

std::pair<TuningKey, TunedChoice> parse_entry(const Json& json) {
  if (!json.is_object()) throw BadTable("it is no object");
  TuningKey key;
  key.device = text_member(json, "device");
  key.vendor_id = id_member(json, "vendor_id");
  key.device_id = id_member(json, "device_id");
  key.driver = optional_text_member(json, "driver");
  key.library = optional_text_member(json, "library");
  key.problem = text_member(json, "problem");
  key.memory_access = text_member(json, "memory_access");
  TunedChoice choice;
  choice.choice = text_member(json, "choice");
  if (choice.choice.empty()) throw BadTable("the value of \"choice\" is empty");
  choice.milliseconds = time_member(json, "milliseconds");
  return {std::move(key), std::move(choice)};
}

Json entry_json(const TuningKey& key, const TunedChoice& choice) {
  Json json = {{"device", key.device}, {"vendor_id", key.vendor_id}, {"device_id", key.device_id}};
  if (!key.driver.empty()) json["driver"] = key.driver;
  if (!key.library.empty()) json["library"] = key.library;
  json["problem"] = key.problem;
  json["memory_access"] = key.memory_access;
  json["choice"] = choice.choice;
  json["milliseconds"] = choice.milliseconds;
  return json;
}

// Names of drivers are what they are; JSON is UTF-8, and what was written must be found again.
std::string printable(std::string text) {
  for (char& letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code >= 0x7f) letter = '?';
  }
  return text;
}

}  // namespace

TuningKey tuning_key(const DeviceSummary& device, const VktcConvTransposeDesc& desc, VktcMemoryAccess memory_access) {
  const std::string library = std::to_string(VKTC_VERSION_MAJOR) + "." + std::to_string(VKTC_VERSION_MINOR) + "." +
                              std::to_string(VKTC_VERSION_PATCH);
  return {printable(device.name),           device.vendor_id, device.device_id,
          printable(device.driver),         library,          vktconv::desc_text(desc),
          memory_access_text(memory_access)};
}

const TunedChoice* TuningTable::find(const TuningKey& key) const {
  for (const bool any_library : {false, true}) {
    for (const bool any_driver : {false, true}) {
      TuningKey wanted = key;
      if (any_library) wanted.library.clear();
      if (any_driver) wanted.driver.clear();
      const auto found = entries_.find(wanted);
      if (found != entries_.end()) return &found->second;
    }
  }
  return nullptr;
}

void TuningTable::put(const TuningKey& key, TunedChoice choice) { entries_[key] = std::move(choice); }

std::optional<TuningTable> TuningTable::parse(std::string_view text, std::string& why_not) {
  try {
    const Json root = parse_json(text);
    if (!root.is_object() || !root.contains("format") || root["format"] != format_name) {
      throw BadTable("it is no tuning table of vktconv");
    }
    if (member(root, "version") != format_version) throw BadTable("it has another format version");
    const Json& entries = member(root, "entries");
    if (!entries.is_array()) throw BadTable("the value of \"entries\" is no list");
    TuningTable table;
    for (size_t i = 0; i < entries.size(); ++i) {
      try {
        table.entries_.insert(parse_entry(entries[i]));
      } catch (const BadTable& error) {
        throw BadTable("entry " + std::to_string(i + 1) + ": " + error.what());
      }
    }
    return table;
  } catch (const BadTable& error) {
    why_not = error.what();
    return std::nullopt;
  }
}

std::string TuningTable::format() const {
  std::string text = Json({{"format", format_name}, {"version", format_version}}).dump();
  text.back() = ',';
  text += " \"entries\": [";
  const char* separator = "\n  ";
  for (const auto& [key, choice] : entries_) {
    text += separator + entry_json(key, choice).dump();
    separator = ",\n  ";
  }
  return text + (entries_.empty() ? "]}\n" : "\n]}\n");
}

std::optional<TuningTable> read_tuning_file(const fs::path& file, std::string& why_not) {
  std::error_code error;
  if (fs::symlink_status(file, error).type() == fs::file_type::not_found) return TuningTable();
  std::optional<InputFile> input = InputFile::open(file, why_not);
  if (!input) return std::nullopt;
  if (input->size() > largest_file) {
    why_not = "it is too large for a tuning table";
    return std::nullopt;
  }
  std::string text(static_cast<size_t>(input->size()), '\0');
  if (!input->read(std::as_writable_bytes(std::span(text)))) {
    why_not = "it became shorter while it was read";
    return std::nullopt;
  }
  return TuningTable::parse(text, why_not);
}

bool add_to_tuning_file(const fs::path& file, const TuningKey& key, const TunedChoice& choice, std::string& why_not) {
  std::optional<TuningTable> table = read_tuning_file(file, why_not);
  if (!table) {
    why_not = file.string() + " is there and cannot be used (" + why_not + "): remove it, or name another file";
    return false;
  }
  table->put(key, choice);
  const std::string text = table->format();
  return replace_file(file, {std::as_bytes(std::span(text))}, why_not);
}

}  // namespace vktconv::host
