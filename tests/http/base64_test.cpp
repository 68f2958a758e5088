#include "base64.h"

#include <gtest/gtest.h>

#include <random>

#include "http/test_server.h"

namespace infer::http {
namespace {

using adapter::decode_base64;

std::string decoded(std::string_view text) {
  const auto bytes = decode_base64(text);
  return bytes ? std::string(bytes->begin(), bytes->end()) : "error: " + bytes.error().message;
}

TEST(Base64, DecodesTheVectorsOfRfc4648) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("Zg=="), "f");
  EXPECT_EQ(decoded("Zm8="), "fo");
  EXPECT_EQ(decoded("Zm9v"), "foo");
  EXPECT_EQ(decoded("Zm9vYg=="), "foob");
  EXPECT_EQ(decoded("Zm9vYmE="), "fooba");
  EXPECT_EQ(decoded("Zm9vYmFy"), "foobar");
}

TEST(Base64, TakesLineBreaksAndMissingPadding) {
  EXPECT_EQ(decoded("Zm9v\r\nYmFy"), "foobar");
  EXPECT_EQ(decoded("Zm9vYg"), "foob");
}

TEST(Base64, TakesTheAlphabetOfAddressesAndAddressesThemselves) {
  const std::string bytes = decoded("+/+/+w==");
  EXPECT_EQ(bytes.size(), 4U);
  for (const char* same : {"-_-_-w==", "-_-_-w", "+/+/+w", "data:image/jpeg;base64,+/+/+w==",
                           "DATA:;BASE64,-_-_-w", "data:image/png;name=a.png;base64,-_-_-w"})
    EXPECT_EQ(decoded(same), bytes) << same;
  EXPECT_NE(decoded("data:text/plain,hello").find("not of the form data:"), std::string::npos);
  EXPECT_NE(decoded("https://a/b.jpg").find("is a remote address, which the server does not fetch"),
            std::string::npos);
}

TEST(Base64, NamesWhatIsWrong) {
  EXPECT_EQ(decoded("Zm9v!mFy"), "error: not base64: '!' at offset 4");
  EXPECT_EQ(decoded("Zg==Zg=="), "error: not base64: 'Z' at offset 4");
  EXPECT_EQ(decoded("Z"), "error: not base64: the last group has only one character");
  EXPECT_EQ(decoded(std::string_view("Zm\0v", 4)), "error: not base64: byte 0 at offset 2");
}

TEST(Base64, EveryLengthComesBackAsItWas) {
  std::mt19937 random(3);
  for (std::size_t length = 0; length < 200; ++length) {
    infer::testing::Bytes bytes(length);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(decode_base64(testing::encode_base64(bytes)).value(), bytes);
    EXPECT_EQ(adapter::encode_base64(bytes), testing::encode_base64(bytes));
  }
}

}  // namespace
}  // namespace infer::http
