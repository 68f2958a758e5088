// Tests the parsers of HTTP messages on bytes: what they accept and, above all, what they refuse.

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/response_writer.h"
#include "message/chunked_reader.h"
#include "message/content_encoding.h"
#include "message/multipart.h"
#include "message/query.h"
#include "message/request_head.h"

namespace infer::http {
namespace {

/// A head that ends where the parser says. Status 0 means that the head is valid.
int status_of(const std::string& text) {
  std::size_t seen = 0;
  const std::size_t end = find_block_end(text, seen);
  if (end == std::string::npos) return -1;
  RequestHead head;
  const auto failure = parse_request_head(std::string_view(text).substr(0, end), head);
  return failure ? failure->status : 0;
}

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }

TEST(RequestHead, IsTakenApart) {
  const std::string text =
      "\r\nPOST /a%20b/c?d=%41 HTTP/1.1\r\nhOST: example:80\r\nX:  \t y z\t \r\nContent-Length: 12\r\n"
      "Expect: 100-Continue\r\n\r\n";
  RequestHead head;
  ASSERT_FALSE(parse_request_head(text, head));
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/a b/c");
  EXPECT_EQ(head.find("Host")->value, "example:80");
  EXPECT_EQ(head.find("x")->value, "y z");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.expects_continue && head.keep_alive);
  EXPECT_EQ(head.find("absent"), nullptr);
}

TEST(RequestHead, EndsWhereverItIsCut) {
  const std::string text = get("A: b\r\n");
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    std::size_t seen = 0;
    ASSERT_EQ(find_block_end(text.substr(0, cut), seen), std::string::npos) << cut;
    ASSERT_EQ(find_block_end(text + "rest", seen), text.size()) << cut;
  }
}

TEST(RequestHead, OfEveryByteInAName) {
  for (int c = 0; c < 256; ++c) {
    const std::string name = std::string("X") + static_cast<char>(c) + "Y";
    const bool token =
        c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    const bool fine = token || (c < 128 && std::isalnum(c)) || c == ':';
    EXPECT_EQ(status_of(get(name + ": z\r\n")), fine ? 0 : 400) << c;
  }
  EXPECT_EQ(status_of(get(": z\r\n")), 400);
}

TEST(RequestHead, OfEveryByteInAValue) {
  for (int c = 0; c < 256; ++c) {
    const bool fine = c == '\t' || (c >= ' ' && c != 0x7F);
    EXPECT_EQ(status_of(get(std::string("X: y") + static_cast<char>(c) + "z\r\n")), fine ? 0 : 400) << c;
  }
}

TEST(RequestHead, OfLinesThatEndOtherwise) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of(get("A: b\r\n c\r\n")), 400);
  EXPECT_EQ(status_of(get("A: b\r\n\tc: d\r\n")), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("\n"), 400);
  EXPECT_EQ(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestHead, OfRequestLines) {
  const auto line = [](const std::string& text) { return status_of(text + "\r\nHost: a\r\n\r\n"); };
  for (const char* fine :
       {"GET / HTTP/1.1", "GET /?%zz HTTP/1.0", "OPTIONS * HTTP/1.1", "HEAD /%41 HTTP/1.1"})
    EXPECT_EQ(line(fine), 0) << fine;
  for (const char* bad : {"GET  / HTTP/1.1",
                          "GET /  HTTP/1.1",
                          "GET / HTTP/1.1 ",
                          " GET / HTTP/1.1",
                          "GET\t/\tHTTP/1.1",
                          "GET /",
                          "GET",
                          "",
                          "GET / http/1.1",
                          "GET / HTTP/1.1x",
                          "GET / HTTP/11",
                          "GET / HTTP/1.10",
                          "GET a HTTP/1.1",
                          "GET * HTTP/1.1",
                          "get / HTTP/1.1",
                          "BREW / HTTP/1.1",
                          "CONNECT a:1 HTTP/1.1",
                          "GET /%00 HTTP/1.1",
                          "GET /% HTTP/1.1",
                          "GET /%4 HTTP/1.1",
                          "GET /%+1 HTTP/1.1",
                          "GET /%0x HTTP/1.1",
                          "GET /#a HTTP/1.1",
                          "GET /\x7f HTTP/1.1",
                          "GET /\xc3\xa9 HTTP/1.1",
                          "GET /a b HTTP/1.1",
                          "GET http:///a HTTP/1.1",
                          "GET ftp://a/ HTTP/1.1",
                          "GET http://u@a/ HTTP/1.1",
                          "GET //a\\b/^ HTTP/1.\xff"})
    EXPECT_EQ(line(bad), 400) << bad;
  EXPECT_EQ(line("GET / HTTP/2.0"), 505);
  EXPECT_EQ(line("GET / HTTP/0.9"), 505);
  EXPECT_EQ(line("GET /" + std::string(4096, 'a') + " HTTP/1.1"), 414);
}

TEST(RequestHead, AnAbsoluteTargetNamesPathAndHost) {
  const auto read = [](const std::string& target) {
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: other\r\n\r\n";
    RequestHead head;
    const auto failure = parse_request_head(text, head);
    EXPECT_FALSE(failure) << target;
    return head.path + " of " + std::string(head.find("Host")->value);
  };
  EXPECT_EQ(read("http://example:81/v2/health?x=http://y/"), "/v2/health of example:81");
  EXPECT_EQ(read("HTTPS://[::1]/"), "/ of [::1]");
  EXPECT_EQ(read("http://example"), "/ of example");
  EXPECT_EQ(read("http://example?a"), "/ of example");
  EXPECT_EQ(read("/http://example/"), "/http://example/ of other");
}

TEST(RequestHead, HasOneHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 0);
  EXPECT_EQ(status_of(get("Host: a\r\n")), 400);
  EXPECT_EQ(status_of(get("hoST: b\r\n")), 400);
  for (const char* bad : {"a b", "a/b", "a@b", "a,b", "a\\b", "a?b", "a#b", "\xc3\xa9", "<a>"})
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: ") + bad + "\r\n\r\n"), 400) << bad;
}

TEST(RequestHead, WhatDelimitsABodyIsUnmistakable) {
  for (const char* bad : {"Content-Length: \r\n",
                          "Content-Length: -1\r\n",
                          "Content-Length: +1\r\n",
                          "Content-Length: 0x1\r\n",
                          "Content-Length: 1 1\r\n",
                          "Content-Length: 1,1\r\n",
                          "Content-Length: 1\r\nContent-Length: 1\r\n",
                          "Content-Length: %31\r\n",
                          "Content-Length: 1.\r\n",
                          "Content-Length: 9999999999999999999\r\n",
                          "Content-Length : 1\r\n",
                          "Content-Length\t: 1\r\n",
                          " Content-Length: 1\r\n",
                          "Content_Length\xff: 1\r\n",
                          "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                          "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
                          "Transfer-Encoding: gzip\r\n",
                          "Transfer-Encoding: chunked, chunked\r\n",
                          "Transfer-Encoding: identity\r\n",
                          "Transfer-Encoding: gzip, chunked\r\n",
                          "Transfer-Encoding: chunked;a=b\r\n",
                          "Transfer-Encoding: \r\n",
                          "Transfer-Encoding: \"chunked\"\r\n",
                          "Transfer-Encoding: xchunked\r\n",
                          "Transfer-Encoding: chunked,\r\n",
                          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                          "Transfer-Encoding:\x0b chunked\r\n",
                          "Transfer-Encoding : chunked\r\n",
                          "Transfer-Encoding:\r\n chunked\r\n"})
    EXPECT_EQ(status_of(get(bad)), 400) << bad;
  EXPECT_EQ(status_of(get("Transfer-Encoding: CHUNKED\r\n")), 0);
  EXPECT_EQ(status_of(get("Content-Length: 007\r\n")), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestHead, WhatCountsOnceIsGivenOnce) {
  for (const char* name : {"Authorization", "Content-Type", "Content-Encoding", "Origin", "Expect"}) {
    const std::string field = std::string(name) + ": 100-continue\r\n";
    EXPECT_EQ(status_of(get(field)), 0) << name;
    EXPECT_EQ(status_of(get(field + field)), 400) << name;
  }
  EXPECT_EQ(status_of(get("Accept: a\r\nAccept: b\r\n")), 0);
  EXPECT_EQ(status_of(get("Expect: tea\r\n")), 417);
  std::string many;
  for (int i = 0; i < 99; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(get(many)), 0);
  EXPECT_EQ(status_of(get(many + "A: b\r\n")), 431);
}

TEST(RequestHead, WhetherTheConnectionStaysIsAListOfWordsInAnyCase) {
  const auto stays = [](const std::string& version, const std::string& fields) {
    const std::string text = "GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
    RequestHead head;
    EXPECT_FALSE(parse_request_head(text, head));
    return head.keep_alive;
  };
  EXPECT_TRUE(stays("1.1", ""));
  EXPECT_FALSE(stays("1.0", ""));
  EXPECT_FALSE(stays("1.1", "Connection: CLOSE\r\n"));
  EXPECT_FALSE(stays("1.1", "Connection: upgrade ,\tClose\r\n"));
  EXPECT_FALSE(stays("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_TRUE(stays("1.1", "Connection: closed, not-close\r\n"));
  EXPECT_TRUE(stays("1.0", "Connection: TE, Keep-Alive\r\n"));
  EXPECT_FALSE(stays("1.0", "Connection: Keep-Alive, close\r\n"));
}

/// Returns the content of a chunked body that arrives in pieces of `step` bytes, then "|" and the rest; "!"
/// after an error, or "?" if more bytes are needed.
std::string unchunk(std::string_view text, std::size_t step) {
  ChunkedReader reader;
  std::string out;
  while (!text.empty() && !reader.complete() && reader.error().empty()) {
    std::string_view piece = text.substr(0, step);
    const std::size_t before = piece.size();
    out += reader.next(piece);
    text.remove_prefix(before - piece.size());
  }
  if (!reader.error().empty()) return out + "!";
  return reader.complete() ? out + "|" + std::string(text) : out + "?";
}

void expect_chunked(std::string_view text, const std::string& right) {
  for (const std::size_t step : {1, 2, 3, 7, 100'000}) {
    const std::string got = unchunk(text, step);
    if (right == "!") {
      EXPECT_TRUE(got.ends_with('!')) << text << " by " << step << ": " << got;
    } else {
      EXPECT_EQ(got, right) << text << " by " << step;
    }
  }
}

TEST(ChunkedReader, TakesWhatTheStandardHas) {
  expect_chunked("0\r\n\r\nnext", "|next");
  expect_chunked("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n", "abc0123456789|");
  expect_chunked("3;a;b=c;d=\"e;\\\"f\"\r\nabc\r\n0;x\r\n\r\nGET", "abc|GET");
  expect_chunked("1\r\nx\r\n0\r\nTrailer: y\r\nOther: z\r\n\r\nGET", "x|GET");
  expect_chunked("3\r\nab", "ab?");
  expect_chunked("0\r\n", "?");
}

TEST(ChunkedReader, RefusesEverythingElse) {
  using std::string_literals::operator""s;
  for (const std::string& size : {"0x3"s,
                                  "+3"s,
                                  "-3"s,
                                  " 3"s,
                                  "3 "s,
                                  "3\t"s,
                                  ""s,
                                  "g"s,
                                  "3g"s,
                                  "3\0"s,
                                  "1000000000000003"s,
                                  "3;"s,
                                  "3;;a"s,
                                  "3;a="s,
                                  "3;a b"s,
                                  "3;a=\"b"s,
                                  "3 ;a"s,
                                  "3;a=\"b\"c"s,
                                  "3;a=\x01"s,
                                  "3,3"s,
                                  "3\r"s,
                                  "3;a=\"\x01\""s})
    expect_chunked(size + "\r\nabc\r\n0\r\n\r\n", "!");
  for (const char* bad :
       {"3\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n",
        "0\r\n\n", "0\r\nA: b\n\r\n", "0\r\nA b\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\n A: b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n", "0\r\nGET / HTTP/1.1\r\n\r\n"})
    expect_chunked(bad, "!");
}

TEST(ChunkedReader, BoundsWhatIsDropped) {
  const std::string part(1000, 'a');
  std::string extensions;
  for (int i = 0; i < 10; ++i) extensions += "1;" + part + "\r\nx\r\n";
  expect_chunked(extensions + "0\r\n\r\n", "!");
  std::string trailers = "0\r\n";
  for (int i = 0; i < 10; ++i) trailers += "A: " + part + "\r\n";
  expect_chunked(trailers + "\r\n", "!");
  expect_chunked("1;" + std::string(100'000, 'a'), "!");
  expect_chunked("0\r\n" + std::string(100'000, 'a'), "!");
  std::string small;
  for (int i = 0; i < 5000; ++i) small += "1\r\nx\r\n";
  expect_chunked(small + "0\r\n\r\n", std::string(5000, 'x') + "|");
}

std::string pack(std::string_view text, Coding coding) {
  const auto packed =
      compress(coding == Coding::kGzip ? "gzip" : "deflate", std::span<const std::string_view>(&text, 1));
  return packed.value();
}

/// Returns the unpacked bytes, then "|" at a complete end, "?" at an incomplete end, or "!" after an error.
std::string unpack(std::string_view packed, Coding coding, std::size_t step) {
  Inflater inflater(coding);
  std::string out;
  while (!packed.empty() && !inflater.broken()) {
    std::string_view piece = packed.substr(0, step);
    packed.remove_prefix(piece.size());
    for (std::string_view data = inflater.next(piece); !data.empty(); data = inflater.next(piece))
      out += data;
  }
  return out + (inflater.broken() ? "!" : inflater.complete() ? "|" : "?");
}

TEST(Inflater, UnpacksWholeBodiesAndNothingElse) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 1000);
  for (const Coding coding : {Coding::kGzip, Coding::kDeflate}) {
    const std::string packed = pack(text, coding);
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, packed.size()}) {
      EXPECT_EQ(unpack(packed, coding, step), text + "|");
      EXPECT_EQ(unpack(packed.substr(0, packed.size() - 1), coding, step).back(), '?') << "no checksum";
      EXPECT_NE(unpack(packed + "x", coding, step).back(), '|') << "a byte after the end";
      EXPECT_EQ(unpack(packed + std::string(20, 'x'), coding, step).back(), '!') << "bytes after the end";
    }
    std::string wrong = packed;
    wrong[packed.size() - 5] = static_cast<char>(wrong[packed.size() - 5] ^ 1);
    EXPECT_NE(unpack(wrong, coding, packed.size()).back(), '|') << "another checksum";
    EXPECT_EQ(unpack(pack("", coding), coding, 1), "|");
  }
  const std::string two = pack("one", Coding::kGzip) + pack("two", Coding::kGzip);
  EXPECT_EQ(unpack(two, Coding::kGzip, 1), "onetwo|") << "members of gzip are one text";
  EXPECT_EQ(unpack(pack("a", Coding::kDeflate) + pack("b", Coding::kDeflate), Coding::kDeflate, 1), "a!");
  EXPECT_EQ(unpack(pack("a", Coding::kDeflate), Coding::kGzip, 1), "!");
  EXPECT_EQ(unpack("", Coding::kGzip, 1), "|");
}

TEST(ContentEncoding, NamesHaveNoCase) {
  EXPECT_EQ(parse_coding("GZIP"), Coding::kGzip);
  EXPECT_EQ(parse_coding("X-Gzip"), Coding::kGzip);
  EXPECT_EQ(parse_coding("Deflate"), Coding::kDeflate);
  EXPECT_EQ(parse_coding("IDENTITY"), Coding::kIdentity);
  EXPECT_EQ(parse_coding("gzip, gzip"), std::nullopt);
  EXPECT_EQ(parse_coding("br"), std::nullopt);
  EXPECT_EQ(accepted_encoding("br, GZip;Q=0.5"), "gzip");
  EXPECT_EQ(accepted_encoding("gzip;q=0.00,DEFLATE"), "deflate");
  EXPECT_EQ(accepted_encoding("gzip; q=0"), "");
}

TEST(Multipart, PartsAreViewsOfTheBody) {
  const std::string body =
      "preamble\r\n--b \t\r\nContent-Disposition: form-data; name=\"a\\\"b\"; filename=\"x;name=y\"\r\n"
      "content-type: image/png\r\n\r\none\r\n--bx\r\n--b\r\n\r\n\r\n--b\r\n\r\n--b--\r\nepilogue --b";
  const auto parts = parse_multipart(body, "b", 8);
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[0].name, "a\"b");
  EXPECT_EQ((*parts)[0].content_type, "image/png");
  EXPECT_EQ((*parts)[0].content, "one\r\n--bx");
  EXPECT_EQ((*parts)[1].content, "");
  EXPECT_EQ((*parts)[2].content, "");
  EXPECT_EQ(parse_multipart(body, "b", 2).error().detail, ErrorDetail::kTooLarge);
  EXPECT_TRUE(parse_multipart("--b--", "b", 8)->empty());
}

TEST(Multipart, WhatIsNoneIsRefused) {
  for (const char* bad : {"", "--b", "--b\r\n", "--b\r\n\r\n", "--b\r\n\r\nx\r\n--b",
                          "--b\r\nA: b\r\nx\r\n--b--", "--b\r\nA : b\r\n\r\nx\r\n--b--",
                          "--b\nA: b\n\nx\n--b--", "--c\r\n\r\nx\r\n--c--", "--b\r\n\r\nx--b--"})
    EXPECT_FALSE(parse_multipart(bad, "b", 8)) << bad;
  EXPECT_FALSE(parse_multipart("--b\r\nA: " + std::string(5000, 'x') + "\r\n\r\nx\r\n--b--", "b", 8));
}

TEST(Multipart, TheBoundaryIsOfAtMost70Characters) {
  const auto boundary = [](const std::string& type) { return multipart_boundary(type).has_value(); };
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; BOUNDARY=\"a b\"").value(), "a b");
  EXPECT_EQ(multipart_boundary("multipart/form-data;boundary=----x ; y=z").value(), "----x");
  EXPECT_TRUE(boundary("multipart/form-data; boundary=" + std::string(70, '-')));
  EXPECT_FALSE(boundary("multipart/form-data; boundary=" + std::string(71, '-')));
  for (const char* bad : {"", "; boundary=", "; boundary=\"\"", "; boundary=\"a \"", "; boundary=a@",
                          "; boundary=\"a", "; xboundary=a", "; x=\"boundary=a\""})
    EXPECT_FALSE(boundary(std::string("multipart/form-data") + bad)) << bad;
}

// Uses real time, because the test checks that the time is proportional to the bytes. Allows ten times the
// worst measured time.
TEST(Multipart, TakesTimeInProportionToTheBodyWhateverItHolds) {
  const std::string boundary(70, '-');
  const std::string almost = "\r\n--" + boundary.substr(1) + "x";
  std::string many;
  while (many.size() < 8u << 20) many += almost;
  std::string blanks = "\r\n--" + boundary + std::string(8 << 20, ' ');
  for (const std::string& body : {std::string(8 << 20, '-'), std::string(8 << 20, '\r'), many, blanks}) {
    const auto start = std::chrono::steady_clock::now();
    (void)parse_multipart(body, boundary, 64);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  }
}

TEST(ResponseHead, AValueCannotEndItsField) {
  std::string out;
  write_response_head(out, {.status = 404, .content_type = "a", .content_length = 3, .close = true},
                      {{"X", "a\r\nSet-Cookie: b\n"}});
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: a\r\nContent-Length: 3\r\n"
            "X: a  Set-Cookie: b \r\n\r\n");
}

TEST(Query, ValuesAreDecodedAndMustAgree) {
  const auto value = [](std::string_view query) { return query_value(query, "model"); };
  EXPECT_EQ(value("model=a+b%2Bc%26%3d").value(), "a b+c&=");
  EXPECT_EQ(value("&&x=1&m%6Fdel=%61=b&").value(), "a=b");
  EXPECT_EQ(value("model").value(), "");
  EXPECT_EQ(value("model=a&model=%61").value(), "a");
  EXPECT_EQ(value("models=a&Model=b&=model&%zz=1&x=%").value(), std::nullopt);
  EXPECT_EQ(value("").value(), std::nullopt);
  for (const char* query :
       {"model=a&model=b", "model=%", "model=%4", "model=%4g", "model=%00", "x&model=a%"}) {
    const auto bad = value(query);
    ASSERT_FALSE(bad) << query;
    EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(bad.error().message.starts_with("model: in the query, ")) << bad.error().message;
  }
}

TEST(RequestHead, TheQueryIsWhatFollowsTheFirstQuestionMark) {
  for (const auto& [target, path, query] :
       std::vector<std::array<std::string, 3>>{{"/embed?model=a?b", "/embed", "model=a?b"},
                                               {"/embed?", "/embed", ""},
                                               {"/embed", "/embed", ""},
                                               {"/em%3Fbed?x", "/em?bed", "x"},
                                               {"http://a?model=b", "/", "model=b"}}) {
    RequestHead head;
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    ASSERT_FALSE(parse_request_head(text, head)) << target;
    EXPECT_EQ(head.path, path);
    EXPECT_EQ(head.query, query);
  }
}

}  // namespace
}  // namespace infer::http
