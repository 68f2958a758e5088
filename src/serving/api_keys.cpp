#include "infer/serving/api_keys.h"

#include <openssl/crypto.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "engine/digest.h"

namespace infer::inline v0 {
namespace {

constexpr std::size_t kMinLength = 16;

std::string_view trimmed(std::string_view line) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!line.empty() && blank(line.back())) line.remove_suffix(1);
  while (!line.empty() && blank(line.front())) line.remove_prefix(1);
  return line;
}

}  // namespace

Result<void> ApiKeys::load() {
  const std::filesystem::path& file = watch_.file();
  const auto bad = [&](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "api-keys: " + file.string() + ": " + what);
  };
  std::ifstream in(file);
  if (!in) return bad("cannot be read: " + std::generic_category().message(errno));
  std::vector<Digest> digests;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::string_view key = trimmed(line);
    if (key.empty() || key.front() == '#') continue;
    if (key.size() < kMinLength) {
      return bad("line " + std::to_string(number) + ": a key of " + std::to_string(key.size()) +
                 " characters is below the minimum of " + std::to_string(kMinLength));
    }
    // Digests have equal lengths, so that the time of a comparison reveals nothing about a key.
    digests.push_back(sha256(key));
    if (digests.back().empty()) return bad("cannot be used: libcrypto lacks SHA-256");
  }
  if (in.bad()) return bad("cannot be read to its end");
  if (digests.empty()) return bad("contains no key");
  std::unique_lock lock(mutex_);
  digests_ = std::move(digests);
  return {};
}

bool ApiKeys::accepts(std::string_view given) const {
  const std::string digest = sha256(given);
  if (digest.empty()) return false;  // without memory or SHA-256, every key is refused
  std::unique_lock lock(mutex_);
  int found = 0;
  for (const Digest& known : digests_)
    found |= static_cast<int>(CRYPTO_memcmp(digest.data(), known.data(), known.size()) == 0);
  return found != 0;
}

}  // namespace infer::inline v0
