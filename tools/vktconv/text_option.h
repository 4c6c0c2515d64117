// Options whose value is a text that may not be empty: an empty one, as from a shell variable that is not set, would
// read as "not given".
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace vktconv::cli {

// type stands for the value in --help, group is the heading that the option is listed under.
inline CLI::Option* add_text_option(CLI::App& command, const char* name, std::string& value, const char* type,
                                    const char* group, const std::string& help) {
  return command.add_option(name, value, help)->type_name(type)->group(group)->check([](const std::string& text) {
    return text.empty() ? std::string("a value is needed") : std::string();
  });
}

}  // namespace vktconv::cli
