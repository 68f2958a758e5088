// Invalid requests must get the right code and a message with field, value and limit, and must not harm the
// server.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <thread>

#include "http/test_server.h"

namespace infer::http {
namespace {

using infer::testing::Bytes;
using std::chrono::milliseconds;
using testing::images_json;
using testing::TestServer;

Bytes kind(const char* name) { return infer::testing::read_bytes(infer::testing::golden(name).encoded); }

class BadInput : public ::testing::Test {
 protected:
  BadInput() : server_(setup()) {}

  static TestServer::Setup setup() {
    TestServer::Setup setup;
    setup.server.listener.max_body_bytes = 200'000;
    setup.server.listener.header_timeout = milliseconds(300);
    setup.server.listener.body_timeout = milliseconds(300);
    setup.server.max_images = 64;
    return setup;
  }

  ~BadInput() override {
    const auto answer =
        server_.client().Post("/embed/base64", images_json({kind("jpeg")}), "application/json");
    EXPECT_TRUE(answer && answer->status == 200) << "the server still answers";
    EXPECT_EQ(server_.engine().stats().inflight, 0u);
  }

  void expect(const std::string& body, int status, const std::string& message) {
    const auto answer = server_.client().Post("/embed/base64", body, "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    EXPECT_NE(answer->body.find("\"message\":\"" + message), std::string::npos) << answer->body;
    EXPECT_NE(answer->body.find("\"request_id\":\""), std::string::npos);
  }

  void expect_image(const Bytes& image, int status, const std::string& message) {
    expect(images_json({image}), status, message);
  }

  static std::string post(const std::string& headers, const std::string& body) {
    return "POST /embed/base64 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + headers + "\r\n" +
           body;
  }
  static void expect_answer(const std::string& answer, int status, const std::string& part) {
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 " + std::to_string(status)) << answer;
    EXPECT_NE(answer.find(part), std::string::npos) << answer;
  }

  TestServer server_;
};

TEST_F(BadInput, NotJson) { expect("hello", 400, "body: is not JSON"); }
TEST_F(BadInput, EmptyBody) { expect("", 400, "body: is empty"); }
TEST_F(BadInput, TruncatedJson) {
  expect(R"({"images": ["aaaa)", 400,
         "body: is not JSON: line 1, column 18: the text ends within the string");
}
TEST_F(BadInput, DepthBomb) { expect("{\"images\":" + std::string(100'000, '['), 400, "body: is not JSON"); }
TEST_F(BadInput, NotAnObject) { expect("[1]", 400, "body: must be a JSON object"); }
TEST_F(BadInput, NoImages) { expect(R"({"image": []})", 400, "images: is missing"); }
TEST_F(BadInput, ImagesOfAnotherType) {
  expect(R"({"images": "aaaa"})", 400, "images: must be a list");
  expect(R"({"images": [5]})", 400, "images[0]: must be a base64 string");
}
TEST_F(BadInput, NotBase64) {
  expect(R"({"images": ["a$aa"]})", 400, "images[0]: not base64: '$' at offset 1");
}
TEST_F(BadInput, Base64OfText) {
  expect_image(Bytes(100, 'x'), 400, "images[0]: image is neither JPEG nor PNG");
}
TEST_F(BadInput, EmptyList) { expect(R"({"images": []})", 400, "images: is empty, at least 1 is needed"); }
TEST_F(BadInput, EmptyImage) { expect(R"({"images": [""]})", 400, "images[0]: image is empty: 0 bytes"); }

TEST_F(BadInput, AThousandImages) {
  std::string body = "{\"images\":[\"aaaa\"";
  for (int i = 1; i < 1000; ++i) body += ",\"aaaa\"";
  expect(body + "]}", 413, "images: 1000 exceed max_images 64");
}

TEST_F(BadInput, AnImageOfOnePixelIsFine) {
  // The smallest PNG: 1 x 1, grey.
  const Bytes png{0x89, 'P',  'N',  'G',  13,   10,  26,   10,   0,    0,    0,    13,   'I',  'H',
                  'D',  'R',  0,    0,    0,    1,   0,    0,    0,    1,    8,    0,    0,    0,
                  0,    0x3A, 0x7E, 0x9B, 0x55, 0,   0,    0,    10,   'I',  'D',  'A',  'T',  0x78,
                  0x9C, 0x63, 0x68, 0,    0,    0,   0x82, 0,    0x81, 0x77, 0xCD, 0x72, 0xB6, 0,
                  0,    0,    0,    'I',  'E',  'N', 'D',  0xAE, 0x42, 0x60, 0x82};
  const auto answer = server_.client().Post("/embed/base64", images_json({png}), "application/json");
  EXPECT_EQ(answer->status, 200) << answer->body;
}

TEST_F(BadInput, TruncatedJpeg) {
  Bytes jpeg = kind("jpeg");
  jpeg.resize(jpeg.size() / 2);
  expect_image(jpeg, 400, "images[0]: JPEG: ");
}

TEST_F(BadInput, APngThatClaimsTooManyPixels) {
  Bytes png = kind("png-rgb");
  const Bytes side{0, 0, 0xEA, 0x60};
  std::copy(side.begin(), side.end(), png.begin() + 16);
  std::copy(side.begin(), side.end(), png.begin() + 20);
  expect_image(png, 413, "images[0]: 60000 x 60000 is 3600 Mpx and exceeds max_pixels 50 Mpx");
}

TEST_F(BadInput, OtherImageFormats) {
  const std::string gif("GIF89a\1\0\1\0\0\0\0;", 14);
  const std::string bmp("BM\x3a\0\0\0\0\0\0\0", 10);
  expect_image(Bytes(gif.begin(), gif.end()), 415,
               "images[0]: image is neither JPEG nor PNG (it looks like GIF)");
  expect_image(Bytes(bmp.begin(), bmp.end()), 415,
               "images[0]: image is neither JPEG nor PNG (it looks like BMP)");
  const std::string heic(
      "\0\0\0\x18"
      "ftypheic\0\0\0\0mif1heic",
      24);
  const std::string avif(
      "\0\0\0\x1c"
      "ftypmif1\0\0\0\0mif1avifmiaf",
      28);
  const std::string webp("RIFF\x24\0\0\0WEBPVP8 ", 16);
  for (const auto& [bytes, name] : {std::pair(heic, "HEIC"), std::pair(avif, "AVIF"), std::pair(webp, "WebP"),
                                    std::pair(std::string("II*\0\x08\0\0\0", 8), "TIFF")})
    expect_image(Bytes(bytes.begin(), bytes.end()), 415,
                 std::string("images[0]: image is neither JPEG nor PNG (it looks like ") + name + ")");
  const Bytes tga{0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0x7F, 0xFF, 0x7F, 24, 0};
  expect_image(tga, 400, "images[0]: image is neither JPEG nor PNG");
}

TEST_F(BadInput, TheBadImageIsNamed) {
  expect(images_json({kind("jpeg"), Bytes(50, 'x')}), 400, "images[1]: image is neither JPEG nor PNG");
}

TEST_F(BadInput, WrongContentType) {
  auto client = server_.client();
  const auto json = client.Post("/embed/base64", "<a/>", "text/xml");
  EXPECT_EQ(json->status, 415);
  EXPECT_NE(json->body.find("Content-Type: 'text/xml' is not application/json"), std::string::npos)
      << json->body;
  EXPECT_EQ(client.Post("/embed", "<a/>", "text/xml")->status, 415);
  const auto gif = client.Post("/embed", "GIF89a........", "image/gif");
  EXPECT_EQ(gif->status, 415) << gif->body;
}

TEST_F(BadInput, UnknownContentEncoding) {
  const auto answer =
      server_.client().Post("/embed/base64", {{"Content-Encoding", "zstd"}}, "abcd", "application/json");
  EXPECT_EQ(answer->status, 415);
  EXPECT_NE(answer->body.find("Content-Encoding: 'zstd' is not supported; use gzip or deflate"),
            std::string::npos)
      << answer->body;
}

TEST_F(BadInput, BodyOverTheLimitPlain) {
  const auto answer = server_.client().Post("/embed/base64", std::string(200'001, ' '), "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_NE(answer->body.find("body: 200001 bytes exceed max_body_bytes 200000"), std::string::npos)
      << answer->body;
}

TEST_F(BadInput, BodyOverTheLimitChunked) {
  std::string bytes = post("Transfer-Encoding: chunked\r\n", "");
  for (int i = 0; i < 30; ++i) bytes += "2710\r\n" + std::string(10'000, ' ') + "\r\n";
  expect_answer(server_.raw(bytes + "0\r\n\r\n"), 413, "body: exceeds max_body_bytes 200000");
}

TEST_F(BadInput, BodyOverTheLimitGzip) {
  const std::string zeros(50'000'000, ' ');
  uLongf size = compressBound(zeros.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(zeros.data()),
           zeros.size());
  packed.resize(size);
  ASSERT_LT(packed.size(), 200'000u);
  const auto answer =
      server_.client().Post("/embed/base64", {{"Content-Encoding", "deflate"}}, packed, "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413) << answer->body;
  EXPECT_NE(answer->body.find("body: exceeds max_body_bytes 200000"), std::string::npos) << answer->body;
}

TEST(Bodies, OfAllRequestsTogetherAreBounded) {
  TestServer::Setup setup;
  setup.server.listener.max_buffered_bytes = 1000;
  TestServer server(setup);
  const auto answer = server.client().Post("/embed/base64", std::string(1001, ' '), "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 429);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
  EXPECT_NE(answer->body.find("exceed max_buffered_bytes 1000"), std::string::npos) << answer->body;
  EXPECT_EQ(server.client().Post("/embed/base64", "{}", "application/json")->status, 400)
      << "the memory was released";
}

TEST(Bodies, WhatIsDerivedFromThemIsBoundedToo) {
  TestServer::Setup setup;
  setup.server.listener.max_buffered_bytes = 1'000'000;
  TestServer server(setup);
  const auto post = [&](const std::string& body) {
    return server.client().Post("/embed/base64", body, "application/json");
  };
  const std::string numbers = [] {
    std::string text = R"({"images":[0)";
    for (int i = 0; i < 100'000; ++i) text += ",0";
    return text + "]}";
  }();
  const auto refused = post(numbers);  // 200 kB that need 2.6 MB to parse
  EXPECT_EQ(refused->status, 413) << refused->body;
  EXPECT_NE(refused->body.find("exceed max_buffered_bytes 1000000"), std::string::npos) << refused->body;
  EXPECT_EQ(post(R"({"images":[")" + std::string(200'000, 'A') + "\"]}")->status, 400)
      << "a long text needs little memory";
  EXPECT_EQ(post("{}")->status, 400) << "the memory was released";
}

TEST(Bodies, WhatTensorsAndAnswersAreMadeOfIsBoundedToo) {
  TestServer::Setup setup;
  setup.server.listener.max_buffered_bytes = 1'000'000;
  TestServer server(setup);
  infer::testing::ScriptedOptions echo;
  echo.signature = {{{"x", DType::kFp32, Shape{-1}}}, {{"y", DType::kFp32, Shape{-1}}}};
  EngineOptions options;
  options.warmup = Warmup::kNone;
  auto model = make_model("echo", infer::testing::make_scripted_backend(echo).value());
  server.service().add(std::make_shared<Engine>(Engine::create(std::move(model), options).value())).value();
  const auto post = [&](std::size_t values, const std::string& more, std::size_t json_bytes = 0,
                        const std::string& binary = {}) {
    std::string body = R"({"inputs":[{"name":"x","shape":[1,)" + std::to_string(values) + "]," + more;
    httplib::Headers headers;
    if (json_bytes != 0) {
      headers.emplace("Inference-Header-Content-Length", std::to_string(body.size()));
      body += binary;
    }
    return server.client().Post("/v2/models/echo/infer", headers, body, "application/json");
  };
  const std::string size = R"("parameters":{"binary_data_size":)";
  // A request of 120 kB whose JSON answer would exceed a megabyte.
  const std::string numbers(120'000, '\0');
  const auto answer = post(30'000, R"("datatype":"FP32",)" + size + "120000}}]}", 1, numbers);
  EXPECT_EQ(answer->status, 413) << answer->body.substr(0, 200);
  EXPECT_NE(answer->body.find("exceed max_buffered_bytes 1000000"), std::string::npos)
      << answer->body.substr(0, 200);
  const std::string as_binary =
      R"("datatype":"FP32",)" + size + R"(120000}}],"parameters":{"binary_data_output":true}})";
  EXPECT_EQ(post(30'000, as_binary, 1, numbers)->status, 200)
      << "a binary answer needs only the bytes of its numbers";
  // Empty strings, each of which would need four times the bytes of its length.
  const auto strings =
      post(100'000, R"("datatype":"BYTES",)" + size + "400000}}]}", 1, std::string(400'000, '\0'));
  EXPECT_EQ(strings->status, 413) << strings->body;
  EXPECT_NE(strings->body.find("inputs.x: elements of BYTES: 100000 exceed the limit of 65536"),
            std::string::npos)
      << strings->body;
  std::string many = R"({"inputs":[)";
  for (int i = 0; i < 1025; ++i)
    many += (i == 0 ? "" : ",") + std::string(R"({"name":"x)") + std::to_string(i) + "\"}";
  const auto inputs = server.client().Post("/v2/models/echo/infer", many + "]}", "application/json");
  EXPECT_EQ(inputs->status, 413) << inputs->body;
  EXPECT_NE(inputs->body.find("inputs: 1025 exceed the limit of 1024"), std::string::npos) << inputs->body;
}

TEST_F(BadInput, AKeyThatIsThereTwiceIsRefusedOnEveryRoute) {
  for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
           {"/embed/base64", R"({"images":["AA=="],"model":"scripted","model":"nope"})"},
           {"/embed/base64", R"({"images":["AA=="],"model":"scripted","mod\u0065l":"nope"})"},
           {"/v2/models/scripted/infer", R"({"id":"a","inputs":[],"id":"b"})"}}) {
    const auto answer = server_.client().Post(path, body, "application/json");
    EXPECT_EQ(answer->status, 400) << body;
    EXPECT_NE(answer->body.find("appears twice"), std::string::npos) << answer->body;
  }
  std::string many = "{\"images\":[]";
  for (int i = 0; i < 100; ++i) many += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_EQ(server_.client().Post("/embed/base64", many + "}", "application/json")->status, 413);
}

TEST_F(BadInput, GarbageInsteadOfGzip) {
  const auto answer =
      server_.client().Post("/embed/base64", {{"Content-Encoding", "gzip"}}, "not gzip", "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400) << answer->body;
}

TEST_F(BadInput, AChunkedBodyThatNeverEnds) {
  expect_answer(server_.raw(post("Transfer-Encoding: chunked\r\n", "4\r\n{\"im\r\n")), 408,
                "body: not complete within body_timeout 300 ms");
}

TEST_F(BadInput, ABodyShorterThanItsLength) {
  expect_answer(server_.raw(post("Content-Length: 1000\r\n", "{\"images\"")), 408, "body: not complete");
}

TEST_F(BadInput, ASlowClientIsCutOffHoweverSteadilyItDrips) {
  const int fd = testing::connect_to(server_.port());
  const std::string start = "GET /health HTTP/1.1\r\nHost: a\r\nX-Drip: ";
  (void)!::send(fd, start.data(), start.size(), MSG_NOSIGNAL);
  const auto begin = std::chrono::steady_clock::now();
  bool cut = false;
  for (int i = 0; i < 200 && !cut; ++i) {
    std::this_thread::sleep_for(milliseconds(20));  // imitates a slow client
    cut = ::send(fd, "x", 1, MSG_NOSIGNAL) < 0;
    char byte = 0;
    cut = cut || ::recv(fd, &byte, 1, MSG_DONTWAIT) >= 0;
  }
  EXPECT_TRUE(cut);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(3000));
  ::close(fd);
  expect_answer(server_.raw("GET /health HTTP/1.1\r\nHost: a\r\n"), 408,
                "headers: not complete within header_timeout 300 ms");
}

TEST_F(BadInput, HeaderFlood) {
  std::string many = "GET /health HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 20'000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  expect_answer(server_.raw(many + "\r\n"), 431, "headers: exceed");
  std::string few = "GET /health HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 150; ++i) few += "A: b\r\n";
  expect_answer(server_.raw(few + "\r\n"), 431, "headers: exceed 100 fields");
  const std::string wide = "GET /health HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'y') + "\r\n\r\n";
  expect_answer(server_.raw(wide), 431, "headers: exceed max_header_bytes 16384");
}

TEST_F(BadInput, LongRequestTarget) {
  expect_answer(server_.raw("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414,
                "request target: exceeds");
}

TEST_F(BadInput, ContentLengthThatIsNoLength) {
  for (const char* length : {"-5", "+5", "0x10", "1e3", "99999999999999999999", "5, 5", ""}) {
    expect_answer(server_.raw(post(std::string("Content-Length: ") + length + "\r\n", "hello")), 400,
                  "Content-Length");
  }
  expect_answer(server_.raw(post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")), 400,
                "given 2 times");
  expect_answer(server_.raw(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 400,
                "Content-Length: must not be sent together with Transfer-Encoding");
  expect_answer(server_.raw(post("Transfer-Encoding: gzip\r\n", "hello")), 400,
                "Transfer-Encoding: 'gzip' is not chunked");
}

TEST_F(BadInput, WhatIsNoHttp) {
  expect_answer(server_.raw("hello there\r\n\r\n"), 400, "malformed HTTP request");
  expect_answer(server_.raw("BREW /coffee HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "malformed HTTP request");
}

TEST_F(BadInput, TimeoutsThatAreNone) {
  for (const char* timeout : {"-1", "0", "NaN", "1.5", "", "1e3", "abc"}) {
    const auto answer = server_.client().Post("/embed/base64", {{"X-Timeout-Ms", timeout}},
                                              images_json({kind("jpeg")}), "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 400) << timeout;
    EXPECT_NE(answer->body.find(std::string("X-Timeout-Ms: '") + timeout + "' is not a whole number above 0"),
              std::string::npos)
        << answer->body;
  }
}

TEST_F(BadInput, AnUnreadBodyIsNeverTakenForTheNextRequest) {
  const std::string smuggled = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string answer =
      server_.raw("GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(smuggled.size()) +
                  "\r\n\r\n" + smuggled);
  EXPECT_EQ(answer.find("HTTP/1.1", 5), std::string::npos) << answer;
}

TEST_F(BadInput, ABodyNobodyWantsIsPassedOverWhateverItsForm) {
  const std::string part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nxyz\r\n--b--\r\n";
  const std::string head =
      "POST /embed HTTP/1.1\r\nHost: a\r\nX-Timeout-Ms: never\r\nContent-Type: multipart/form-data; "
      "boundary=b\r\n";
  ASSERT_LE(part.size(), 64U);
  const std::string chunk = "40\r\n" + part + std::string(64 - part.size(), ' ') + "\r\n0\r\n\r\n";
  const std::string next = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  for (const std::string& body : {head + "Content-Length: " + std::to_string(part.size()) + "\r\n\r\n" + part,
                                  head + "Transfer-Encoding: chunked\r\n\r\n" + chunk}) {
    const std::string answer = server_.raw(body + next);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
    EXPECT_NE(answer.find("X-Timeout-Ms: 'never'"), std::string::npos) << answer;
    EXPECT_NE(answer.find("HTTP/1.1 200", 5), std::string::npos) << answer;
  }
}

}  // namespace
}  // namespace infer::http
