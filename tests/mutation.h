// Deterministic mutations of text, for tests of readers that must refuse and never crash.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace vktconv::tests {

// The seed text with one to four bytes flipped, replaced, removed, doubled or cut off, or with a piece of interest put
// in.
inline std::string mutate(std::string_view seed, std::mt19937_64& random) {
  // Numbers and marks at which readers go wrong.
  static constexpr std::string_view pieces[] = {"-1",
                                                "0",
                                                "9223372036854775807",
                                                "18446744073709551616",
                                                "2147483648",
                                                "'",
                                                "\"",
                                                "\\",
                                                "(",
                                                ")",
                                                "{",
                                                "}",
                                                "[",
                                                ",",
                                                "\xff\xfe",
                                                "\n",
                                                "1e9",
                                                "9999999999999999999999999",
                                                "_",
                                                ":"};
  std::string text(seed);
  const auto pick = [&](size_t count) { return static_cast<size_t>(random() % count); };
  for (size_t rounds = 1 + pick(4); rounds > 0; --rounds) {
    const size_t at = pick(text.size() + 1);
    const bool inside = at < text.size();
    switch (pick(7)) {
      case 0:
        if (inside) text[at] = static_cast<char>(text[at] ^ (1 << pick(8)));
        break;
      case 1:
        if (inside) text[at] = static_cast<char>(random());
        break;
      case 2:
        text.erase(at, 1 + pick(8));
        break;
      case 3:
        text.insert(at, text.substr(at, 1 + pick(16)));
        break;
      case 4:
        text.resize(at);
        break;
      default:
        text.insert(at, pieces[pick(std::size(pieces))]);
        break;
    }
  }
  return text;
}

}  // namespace vktconv::tests
