#include "engine/json_writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "infer/engine/manifest.h"

namespace infer {
namespace {

TEST(JsonWriter, CompactTextHasNoBlanks) {
  JsonWriter json;
  json.begin_object().key("a").value(1).key("b").list(std::vector<std::string>{"x", "y"});
  json.key("c").begin_array().end_array().key("d").null().end_object();
  EXPECT_EQ(std::move(json).text(), R"({"a":1,"b":["x","y"],"c":[],"d":null})");
}

TEST(JsonWriter, SpacedTextHasBlanksAndLines) {
  JsonWriter json;
  json.spaced().begin_object();
  json.line(2).key("a").value(1.5);
  json.line(2).key("b").begin_array().value(1).value(2).line(4).value(3).end_array();
  json.key("c").spaced(false).list(std::vector<int>{1, 2}).spaced();
  json.line(2).key("d").begin_array().line(2).end_array();
  json.line(0).end_object();
  EXPECT_EQ(std::move(json).text(),
            "{\n  \"a\": 1.5,\n  \"b\": [1, 2,\n    3], \"c\": [1,2],\n  \"d\": [\n  ]\n}");
}

TEST(JsonWriter, NumbersAreShortAndWhatJsonLacksIsNull) {
  JsonWriter json;
  json.begin_array().value(0.1F).value(1.0 / 3).measured(1.0 / 3).measured(1234567.0);
  json.value(std::numeric_limits<double>::quiet_NaN()).measured(std::numeric_limits<double>::infinity());
  json.end_array();
  EXPECT_EQ(std::move(json).text(), "[0.1,0.3333333333333333,0.333333,1.23457e+06,null,null]");
}

TEST(JsonWriter, AManifestIsTextThatPeopleRead) {
  Manifest manifest;
  manifest.task = "forecast";
  manifest.inputs = {{"window", DType::kFp32, Shape{2, 3}}};
  manifest.series.emplace();
  manifest.series->columns = {"y", "a\"b"};
  manifest.labels = {"no", "yes"};
  manifest.source = R"({"model": "gru"})";
  manifest.sha256 = {{"model.pt", "ab"}, {"vocab.txt", "cd"}};
  manifest.max_batch_size = 4;
  manifest.max_queue_delay = std::chrono::microseconds(500);
  manifest.workers = 2;
  EXPECT_EQ(manifest_json(manifest), R"({
  "task": "forecast",
  "backend": "torchscript",
  "file": "model.pt",
  "inputs": [{"name": "window", "dtype": "FP32", "shape": [2, 3]}],
  "series": {"columns": ["y", "a\"b"],
    "targets": 1,
    "calendar": [],
    "history": 10,
    "horizon": 1,
    "time": "",
    "step_seconds": 0,
    "step_months": 0,
    "mean": [],
    "scale": []},
  "labels": ["no", "yes"],
  "precision": "fp32",
  "weights": "imported",
  "source": {"model": "gru"},
  "sha256": {"model.pt": "ab", "vocab.txt": "cd"},
  "batch": {"max_batch_size": 4, "max_queue_delay_ms": 0.5},
  "workers": 2
}
)");
}

}  // namespace
}  // namespace infer
