#include "digest.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "read_file.h"

namespace infer::inline v0 {

std::string sha256(std::istream& file) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) return {};
  std::vector<char> block(std::size_t{1} << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(file.gcount())) != 1)
      return {};
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(context.get(), digest.data(), &length) != 1) return {};
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < length; ++i) out += {kHex[digest[i] >> 4], kHex[digest[i] & 15]};
  return out;
}

Result<void> check_digests(const Manifest& manifest, const std::filesystem::path& directory) {
  for (const auto& [name, expected] : manifest.sha256) {
    const auto path = directory / name;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      Error error = unreadable(path, errno);
      error.message += ", infer.json gives its sha256";
      return Unexpected(std::move(error));
    }
    if (const std::string found = sha256(file); found != expected) {
      return fail(ErrorCode::kModelError,
                  path.string() + ": sha256 is " + found + ", infer.json says " + expected);
    }
  }
  return {};
}

}  // namespace infer::inline v0
