#include "api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <fstream>
#include <utility>

namespace infer::http {
namespace {

constexpr std::size_t kMinLength = 16;

/// Of equal length whatever the key's, so that comparing tells nothing of it.
std::string sha256(std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
             nullptr);
  digest.resize(size);
  return digest;
}

std::string_view trimmed(std::string_view line) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!line.empty() && blank(line.back())) line.remove_suffix(1);
  while (!line.empty() && blank(line.front())) line.remove_prefix(1);
  return line;
}

}  // namespace

Result<void> ApiKeys::load(const std::filesystem::path& file) {
  const auto bad = [&](const std::string& what) {
    return fail(ErrorCode::kInvalidArgument, "api-keys: " + file.string() + ": " + what);
  };
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(file, error);
  std::ifstream in(file);
  if (error || !in) return bad("cannot be read");
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
    digests.push_back(sha256(key));
  }
  if (digests.empty()) return bad("holds no key");
  std::unique_lock lock(mutex_);
  file_ = file;
  changed_ = changed;
  digests_ = std::move(digests);
  return {};
}

Result<void> ApiKeys::reload_if_changed() {
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(file_, error);
  if (changed == changed_) return {};
  changed_ = changed;  // said once for each change, not every second
  return load(file_);
}

bool ApiKeys::accepts(std::string_view given) const {
  const std::string digest = sha256(given);
  std::unique_lock lock(mutex_);
  int found = 0;
  for (const Digest& known : digests_)
    found |= static_cast<int>(CRYPTO_memcmp(digest.data(), known.data(), known.size()) == 0);
  return found != 0;
}

}  // namespace infer::http
