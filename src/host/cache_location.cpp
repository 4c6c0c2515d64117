#include <vktconv/vktconv_host.hpp>

#include <cstdlib>

namespace vktconv::host {
namespace {

std::filesystem::path cache_file(const char* name) {
  const auto folder_of = [](const char* variable) -> std::filesystem::path {
    const char* value = std::getenv(variable);
    // The XDG specification: a relative path is to be ignored.
    std::filesystem::path path = value != nullptr ? value : "";
    return path.is_absolute() ? path : std::filesystem::path();
  };
  std::filesystem::path folder = folder_of("XDG_CACHE_HOME");
  if (folder.empty()) {
    folder = folder_of("HOME");
    if (folder.empty()) return {};
    folder /= ".cache";
  }
  return folder / "vktconv" / name;
}

}  // namespace

std::filesystem::path default_pipeline_cache_file() { return cache_file("pipelines.bin"); }
std::filesystem::path default_tuning_file() { return cache_file("tuning.json"); }

}  // namespace vktconv::host
