#include <utility>

#include "page_files.h"
#include "service.h"

namespace infer::http {

void add_page_routes(Router& router, Service&) {
  const auto add = [&](const char* path, const char* summary, const char* type, const char* text) {
    router.add({.method = "GET",
                .path = path,
                .summary = summary,
                .handle =
                    [type, text](Exchange& exchange) {
                      exchange.answer.content_type = type;
                      exchange.answer.text = text;
                      // The page may load only these three files and talk only to this server.
                      exchange.answer.headers.emplace_back(
                          "Content-Security-Policy",
                          "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
                          "connect-src 'self'; "
                          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
                      exchange.answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
                      exchange.answer.headers.emplace_back("Referrer-Policy", "no-referrer");
                      exchange.answer.headers.emplace_back("Cache-Control", "no-cache");
                      exchange.answer.compressible = true;
                    },
                .response_type = type,
                .open = true});
  };
  add("/", "A page to try the models", "text/html; charset=utf-8", kPageHtml);
  add("/page.css", "Style sheet of the page", "text/css; charset=utf-8", kPageCss);
  add("/page.js", "Script of the page", "text/javascript; charset=utf-8", kPageJs);
}

}  // namespace infer::http
