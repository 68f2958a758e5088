#include "infer/engine/settings.h"

#include <gtest/gtest.h>

#include "infer/engine/manifest.h"
#include "infer/engine/open.h"

namespace infer {
namespace {

std::string a_value(const Setting& setting) {
  if (setting.name == "warmup") return "full";
  return std::to_string(setting.least + 1);
}

std::string set(const Setting& setting, PartialSettings& settings, const std::string& text) {
  const auto done = set_setting(setting, settings, "the-flag", text);
  return done ? "" : done.error().message;
}

TEST(Settings, AValueOfAFlagIsTheSameAfterInferJson) {
  for (const Setting& setting : kSettings) {
    Manifest manifest;
    ASSERT_EQ(set(setting, manifest, a_value(setting)), "") << setting.name;
    EXPECT_EQ(setting_text(setting, manifest), a_value(setting));
    const std::string json = manifest_json(manifest);
    const bool written = json.find("\"" + std::string(setting.name) + "\": ") != std::string::npos;
    EXPECT_EQ(written, setting.place != Setting::Place::kNone) << setting.name;
    if (!written) continue;
    const auto read = parse_manifest(json);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(setting_text(setting, *read), a_value(setting)) << json;
  }
}

TEST(Settings, AWrongValueNamesTheSourceTheValueAndTheLimits) {
  for (const Setting& setting : kSettings) {
    PartialSettings settings;
    EXPECT_EQ(set(setting, settings, "many").substr(0, 18), "the-flag: 'many' i") << setting.name;
    if (setting.name == "warmup") continue;
    const std::string above = std::to_string(setting.greatest + 1);
    EXPECT_EQ(set(setting, settings, above), "the-flag: '" + above + "' is not a whole number from " +
                                                 std::to_string(setting.least) + " to " +
                                                 std::to_string(setting.greatest));
    EXPECT_EQ(setting_text(setting, settings), "") << "a refused value is not kept";
  }
  const auto error = [](const char* json) { return parse_manifest(json).error().message; };
  EXPECT_EQ(error(R"({"batch": {"max_batch_size": 5000}})"),
            "infer.json: batch.max_batch_size: '5000' is not a whole number from 1 to 4096");
  EXPECT_EQ(error(R"({"batch": {"max_queue_delay_ms": 60001}})"),
            "infer.json: batch.max_queue_delay_ms: '60001' is not a number of milliseconds from 0 to 60000");
  EXPECT_EQ(error(R"({"warmup": "much"})"), "infer.json: warmup: 'much' is not one of none, default, full");
  for (const char* json :
       {R"({"workers": "2"})", R"({"workers": [2]})", R"({"batch": {"allowed_lengths": 2}})",
        R"({"batch": {"allowed_lengths": [[2]]}})", R"({"warmup": 1})"}) {
    EXPECT_FALSE(parse_manifest(json)) << json;
  }
}

TEST(Settings, TheFirstSourceThatSaysAnythingCounts) {
  for (const Setting& setting : kSettings) {
    PartialSettings first;
    PartialSettings second;
    ASSERT_EQ(set(setting, second, a_value(setting)), "");
    EXPECT_EQ(setting_text(setting, merge(first, second)), a_value(setting)) << setting.name;
    const std::string other = setting.name == "warmup" ? "none" : std::to_string(setting.least + 2);
    ASSERT_EQ(set(setting, first, other), "");
    EXPECT_EQ(setting_text(setting, merge(first, second)), other) << setting.name;
  }
}

TEST(Settings, WorkersAndThreadsComeFromOneSource) {
  PartialSettings first;
  PartialSettings second;
  first.workers = 1;
  second.workers = 2;
  second.intra_op_threads = 4;
  EXPECT_EQ(merge(first, second).intra_op_threads, std::nullopt);
  first.workers = 0;  // --workers 0 means that no number is set
  EXPECT_EQ(merge(first, second).workers, 2u);
  EXPECT_EQ(merge(first, second).intra_op_threads, 4u);
}

TEST(Settings, EachHasADefaultThatAnEngineUses) {
  const PartialSettings defaults = default_settings();
  for (const Setting& setting : kSettings) {
    const bool planned = setting.name == "workers" || setting.name == "intra_op_threads";
    EXPECT_NE(has_setting(setting, defaults), planned) << setting.name;
  }
  OpenOptions wanted;
  static_cast<PartialSettings&>(wanted) = defaults;
  const auto said = engine_options({}, wanted, 2).value();
  EXPECT_EQ(said.batch.allowed_batch_sizes, engine_options({}, {}, 2).value().batch.allowed_batch_sizes);
}

}  // namespace
}  // namespace infer
