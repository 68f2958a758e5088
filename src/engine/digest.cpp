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

namespace {

/// Computes a digest piece by piece.
class Sha256 {
 public:
  Sha256() : ok_(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1) {}

  void add(std::string_view text) {
    ok_ = ok_ && EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1;
  }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (!ok_ || EVP_DigestFinal_ex(context_.get(), digest.data(), &length) != 1) return {};
    constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (unsigned int i = 0; i < length; ++i) out += {kHex[digest[i] >> 4], kHex[digest[i] & 15]};
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  bool ok_;
};

}  // namespace

std::string sha256(std::string_view text) {
  Sha256 digest;
  digest.add(text);
  return digest.hex();
}

std::string sha256(std::istream& file) {
  Sha256 digest;
  std::vector<char> block(std::size_t{1} << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    digest.add({block.data(), static_cast<std::size_t>(file.gcount())});
  }
  return digest.hex();
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
