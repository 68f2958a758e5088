#include "module_file.h"

#include <ostream>
#include <streambuf>

#include "../../engine/durable_file.h"

namespace infer::inline v0 {
namespace {

/// Accepts every byte, even if writing fails: LibTorch must not see a failure; the file remembers it.
class FileBuffer : public std::streambuf {
 public:
  explicit FileBuffer(DurableFile& file) : file_(file) {}

 protected:
  std::streamsize xsputn(const char* data, std::streamsize count) override {
    file_.write({data, static_cast<std::size_t>(count)});
    return count;
  }
  int_type overflow(int_type c) override {
    const char byte = traits_type::to_char_type(c);
    file_.write({&byte, 1});
    return traits_type::not_eof(c);
  }

 private:
  DurableFile& file_;
};

}  // namespace

Result<void> save_module(const torch::jit::Module& module, const std::filesystem::path& file) {
  DurableFile out(file);
  FileBuffer buffer(out);
  std::ostream stream(&buffer);
  module.save(stream);
  return out.commit();
}

}  // namespace infer::inline v0
