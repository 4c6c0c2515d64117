// SHA-256 (FIPS 180-4), to tell whether a pipeline cache file is what was written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vktconv::host {

std::array<std::byte, 32> sha256(std::span<const std::byte> data);

}  // namespace vktconv::host
