// One line on stderr that shows how far long work has come. Silent where stderr is no terminal, and for work that is
// done before anybody would wonder.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vktconv::support {

class ProgressLine {
 public:
  // what: "Writing y.npy"
  explicit ProgressLine(std::string what);
  ~ProgressLine();  // removes the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows "Writing y.npy  42 %  3 s left", at most ten times a second. total 0: no percentage.
  void update(uint64_t done, uint64_t total);

  // Removes the line, so that something else can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point begin_;
  Clock::time_point last_;
};

}  // namespace vktconv::support
