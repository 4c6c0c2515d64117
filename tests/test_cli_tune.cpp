// The command vktconv tune: what it keeps, and what explain and run make of that.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "command_line.h"

TEST_SUITE_BEGIN("cli");

using namespace vktconv;
using namespace vktconv::tests;

TEST_CASE("tune keeps the winner, which explain and run then take") {
  const Workplace workplace;
  const std::string problem = "mb2_ic4iw100_oc8kw3sw2pw1";
  const auto chosen = [&](const Arguments& more) {
    Arguments arguments = {"explain", problem};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandOutcome outcome = workplace.call_device(arguments);
    CAPTURE(outcome.error);
    REQUIRE(outcome.exit_code == 0);
    const std::string mark = ", chosen ";
    REQUIRE(contains(outcome.out, mark));
    const size_t begin = outcome.out.find(mark) + mark.size();
    return outcome.out.substr(begin, outcome.out.find('\n', begin) - begin);
  };
  CHECK(chosen({}) == "by predicted time");
  const CommandOutcome tuned =
      workplace.call_device({"tune", problem, "--candidates", "2", "--repeats", "2", "--validation"});
  CAPTURE(tuned.error);
  REQUIRE(tuned.exit_code == 0);
  CHECK(tuned.error == "");
  CHECK(contains(tuned.out, "\n" + problem + "\n"));
  CHECK(contains(tuned.out, "measured ms predicted ms  repeats   choice\n"));
  CHECK(contains(tuned.out, "(model)"));
  CHECK(contains(tuned.out, "(winner)\n"));
  const std::string file = workplace.path("cache/vktconv/tuning.json").string();
  CHECK(contains(tuned.out, "\nKept in " + file + "\n"));
  CHECK(chosen({}) == "by vktconv tune, in " + file);
  CHECK(chosen({"--algorithm", "gather"}) == "as asked for");
  CHECK(chosen({"--tuning-file", "none.json"}) == "by predicted time");
  const auto entry = nlohmann::json::parse(read_text(file)).at("entries").at(0);
  CHECK(entry.at("problem") == problem);
  CHECK(contains(tuned.out, entry.at("choice").get<std::string>()));
  CHECK(contains(workplace.call_device({"explain", problem}).out, "choice: " + entry.at("choice").get<std::string>()));

  // Plans change, results do not.
  workplace.write_tensor("x.npy", support::NpyType::f32, {2, 4, 100}, 1);
  workplace.write_tensor("w.npy", support::NpyType::f32, {4, 8, 3}, 2);
  const Arguments run = {"run",   "--input",  "x.npy", "--weight",  "w.npy", "--output",
                         "y.npy", "--stride", "2",     "--padding", "1",     "--tuning-file"};
  const auto result_by = [&](const std::string& tuning_file) {
    Arguments arguments = run;
    arguments.push_back(tuning_file);
    REQUIRE(workplace.call_device(arguments).exit_code == 0);
    return read_text(workplace.path("y.npy"));
  };
  CHECK((result_by(file) == result_by("none.json")));

  // A suite, into a file of its own; what cannot be done does not hide the rest.
  write_text(workplace.path("s.json"), R"({"problems": [
    {"name": "a.1", "in_channels": 1, "out_channels": 1, "input": [9], "kernel": [3]},
    {"name": "a.2", "in_channels": 1, "out_channels": 1, "input": [9, 9], "kernel": 3, "stride": 2},
    {"name": "huge", "in_channels": 1, "out_channels": 1000, "input": [2], "kernel": 1, "stride": 2000000000}]})");
  const Arguments suite = {"tune",      "--suite", "s.json",        "--candidates", "1",
                           "--repeats", "1",       "--tuning-file", "own.json"};
  const CommandOutcome mixed = workplace.call_device(suite);
  CHECK(mixed.exit_code == 4);
  CHECK(contains(mixed.out, "within 15 % of the best on "));
  CHECK(contains(mixed.out, "of 2 problems"));
  CHECK(contains(mixed.out, "\nKept in own.json\n"));
  CHECK(contains(mixed.error, "vktconv: 1 of 3 problems cannot be tuned on "));
  CHECK(nlohmann::json::parse(read_text(workplace.path("own.json"))).at("entries").size() == 2);

  // A file that is not ours is ignored, said so, and never written.
  write_text(workplace.path("other.json"), "{}");
  const CommandOutcome warned = workplace.call_device({"explain", problem, "--tuning-file", "other.json"});
  CHECK(warned.exit_code == 0);
  CHECK(contains(warned.error, "vktconv: the tuning file other.json is not used: it is no tuning table of vktconv"));
  const CommandOutcome refused = workplace.call_device({"tune", problem, "--tuning-file", "other.json"});
  CHECK(refused.exit_code == 2);
  CHECK(contains(refused.error, "the tuning file other.json is there and cannot be used"));
  CHECK(read_text(workplace.path("other.json")) == "{}");

  workplace.check({"tune"}, 2, "a descriptor, --suite, or --input and --weight is needed");
  workplace.check({"tune", problem, "--candidates", "0"}, 2, "--candidates");
  workplace.check({"tune", problem, "--repeats", "x"}, 2, "--repeats");
  workplace.check({"tune", problem, "--tuning-file", ""}, 2, "--tuning-file: a value is needed");
  workplace.check({"tune", problem, "--device", "no such device"}, 3, "no such device");
  workplace.check({"tune", "mb1000_ic1iw2oc1000kw1sw2000000000"}, 4, "");
}

TEST_SUITE_END();
