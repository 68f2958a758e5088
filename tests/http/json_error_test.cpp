#include "json/json_error.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

#include "engine/json_writer.h"

namespace infer::http {
namespace {

TEST(JsonError, SaysLineColumnAndWhatWasFound) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\xEF\xBB\xBF{}", "line 1, column 1: a byte order mark; send the text without it"},
      {std::string("{\0}\0", 4), "line 1, column 1: UTF-16; JSON is sent as UTF-8"},
      {"{\"a\": NaN}", "line 1, column 7: NaN (not part of JSON) where a value is expected"},
      {"{\"a\":\n -Infinity}", "line 2, column 2: -Infinity (not part of JSON)"},
      {"{\"a\": [1, 2,]}", "line 1, column 12: a comma before ]"},
      {"{\"a\": 1,\n\n}", "line 1, column 8: a comma before }"},
      {"{'a': 1}",
       "line 1, column 2: a single quote instead of a double quote where a key in double quotes is "
       "expected"},
      {"{\"a\": 'b'}",
       "line 1, column 7: a single quote instead of a double quote where a value is expected"},
      {"{\"\xC3\xA4\": True}", "line 1, column 7: True; JSON writes true where a value is expected"},
      {"{\"a\": None}", "line 1, column 7: None; JSON writes null where a value is expected"},
      {"{\"a\": [1, 2", "line 1, column 12: the text ends within the list that begins at line 1, column 7"},
      {"{\"a\": \"b", "line 1, column 9: the text ends within the string that begins at line 1, column 7"},
      {"{\"a\"", "line 1, column 5: the text ends where a colon is expected"},
      {"", "line 1, column 1: the text ends where a value is expected"},
      {"{\"a\": 1} x",
       "line 1, column 10: more text after the end of the value, beginning with the word 'x' without "
       "quotes"},
      {"{\"a\": \"\t\"}", "line 1, column 8: the byte 0x09 within a string; write it as an escape"},
      {"{\"a\": \"\xFF\"}", "line 1, column 8: the byte 0xFF within a string, which is not UTF-8"},
      {"{\"a\": 01}", "line 1, column 7: a number with a leading zero: '01'"},
      {"{\"a\": 1e999}", "line 1, column 7: a number that does not fit in 64 bits: '1e999'"},
      {"{\"a\" 1}", "line 1, column 6: '1' where a colon is expected"},
      {"{\"a\": 1 \"b\": 2}", "line 1, column 9: '\"' where a comma or } is expected"},
      {"// hello\n{}", "line 1, column 1: a comment (not part of JSON) where a value is expected"},
      {"{a: 1}", "line 1, column 2: the word 'a:' without quotes where a key in double quotes is expected"},
      {R"({"a": "\x"})", "line 1, column 8: an escape within a string that is not one of JSON"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(json_error(text).substr(0, expected.size()), expected) << text;
  }
  EXPECT_NE(json_error(std::string(5000, '[')).find("nest deeper than 1024"), std::string::npos);
}

/// Every text that simdjson refuses gets an explanation, and no other text does.
TEST(JsonError, AgreesWithTheParserOnDamagedTexts) {
  const std::string whole =
      R"({"inputs": [{"name": "x\u00e9\ud83d\ude00", "shape": [1, -2.5e3, 0.1], "ok": true, "no": null, "f": false}], "é": {}})";
  std::mt19937 random(11);
  simdjson::dom::parser parser;
  constexpr std::string_view kBytes = "{}[]:,\"\\ 01.-+eEu\ntruefalsn\xC3\xA9\xFF'/";
  for (int i = 0; i < 20000; ++i) {
    std::string text = whole;
    for (std::size_t changes = 1 + random() % 3; changes-- > 0;) {
      const std::size_t at = random() % text.size();
      const char byte = kBytes[random() % kBytes.size()];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.erase(at, 1 + random() % 4);
          break;
        default:
          text.insert(at, 1, byte);
      }
    }
    const bool read = parser.parse(simdjson::padded_string(text)).error() == simdjson::SUCCESS;
    EXPECT_EQ(json_error(text).empty(), read) << text << "\n" << json_error(text);
  }
}

TEST(JsonWriter, MendsWhatIsNoUtf8) {
  const auto written = [](std::string_view text) {
    JsonWriter json;
    json.value(text);
    return std::move(json).text();
  };
  EXPECT_EQ(written("\xC3\xA4\xF0\x9F\x98\x80"), "\"\xC3\xA4\xF0\x9F\x98\x80\"");
  EXPECT_EQ(written("a\xFF"
                    "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(written(std::string_view("\xC3\xA4", 1)), "\"\xEF\xBF\xBD\"") << "cut within a character";
  EXPECT_EQ(written("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"") << "longer than needed";
  std::mt19937 random(5);
  simdjson::dom::parser parser;
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 24, 0);
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() : 0xC0 + random() % 0x40);
    EXPECT_EQ(parser.parse(simdjson::padded_string(written(text))).error(), simdjson::SUCCESS);
  }
}

}  // namespace
}  // namespace infer::http
