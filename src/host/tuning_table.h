// Which candidate was measured to be the fastest for which problem, on which device: the user's table in a file, and
// the one that comes with the library. JSON, for people to read and to merge:
//
//     {"format": "vktconv tuning", "version": 1, "entries": [
//       {"device": "NVIDIA H200", "vendor_id": 4318, "device_id": 9013, "driver": "NVIDIA 580.159.04",
//        "library": "0.1.0", "problem": "mb16_ic32iw131072_oc64kw3sw2pw1dw2", "memory_access": "auto",
//        "choice": "tiled:64,128,16,8,8,1", "milliseconds": 0.412}]}
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <compare>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vktconv::host {

// What a choice was measured for. It is taken for nothing else.
struct TuningKey {
  std::string device;
  uint32_t vendor_id = 0;
  uint32_t device_id = 0;
  std::string driver;         // DeviceSummary::driver; in a table "": any
  std::string library;        // "0.1.0"; in a table "": any
  std::string problem;        // desc_text()
  std::string memory_access;  // "auto", "descriptors" or "address"

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the zero in the code that this stands for
  auto operator<=>(const TuningKey&) const = default;
};

TuningKey tuning_key(const DeviceSummary& device, const VktcConvTransposeDesc& desc, VktcMemoryAccess memory_access);

struct TunedChoice {
  std::string choice;       // VktcPlanInfo::choice
  double milliseconds = 0;  // the median, for people
};

class TuningTable {
 public:
  // The entry of this driver and library, or else one for any. Null: none.
  const TunedChoice* find(const TuningKey& key) const;
  void put(const TuningKey& key, TunedChoice choice);  // replaces what was measured before
  size_t size() const { return entries_.size(); }

  // Nothing, with the reason, where the text is not a whole and sound table of this format.
  static std::optional<TuningTable> parse(std::string_view text, std::string& why_not);
  std::string format() const;  // an entry a line, in the order of their keys

 private:
  std::map<TuningKey, TunedChoice> entries_;
};

// A file that is not there is an empty table. Nothing, with the reason, where it is there and cannot be used.
std::optional<TuningTable> read_tuning_file(const std::filesystem::path& file, std::string& why_not);

// Puts one entry into the file and leaves the others, of whatever device and version, as they are. False, with the
// reason, where it could not be written; a file that cannot be read is left alone, as it may be somebody else's.
bool add_to_tuning_file(const std::filesystem::path& file, const TuningKey& key, const TunedChoice& choice,
                        std::string& why_not);

// The table that comes with the library, src/host/shipped_tuning.json.
const TuningTable& shipped_tuning_table();

}  // namespace vktconv::host
