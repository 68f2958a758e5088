#include "infer/weights/safetensors.h"

#include <fcntl.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "../engine/read_file.h"
#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 44;

/// The format's limit on the size of its header.
constexpr std::uint64_t kMaxHeader = 100'000'000;

constexpr std::array<std::pair<std::string_view, DType>, 13> kDTypes{{{"BOOL", DType::kBool},
                                                                      {"U8", DType::kUint8},
                                                                      {"U16", DType::kUint16},
                                                                      {"U32", DType::kUint32},
                                                                      {"U64", DType::kUint64},
                                                                      {"I8", DType::kInt8},
                                                                      {"I16", DType::kInt16},
                                                                      {"I32", DType::kInt32},
                                                                      {"I64", DType::kInt64},
                                                                      {"F16", DType::kFp16},
                                                                      {"BF16", DType::kBf16},
                                                                      {"F32", DType::kFp32},
                                                                      {"F64", DType::kFp64}}};

/// A checked entry of the header: one tensor.
struct Entry {
  std::string name;
  DType dtype = DType::kFp32;
  Shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Result<Shape> read_shape(simdjson::dom::element value, const std::string& name) {
  simdjson::dom::array dims;
  if (value.get(dims) != simdjson::SUCCESS) return invalid(name + ": shape is not a list");
  if (dims.size() > Shape::kMaxRank) {
    return invalid(name + ": shape has " + std::to_string(dims.size()) + " dimensions, the limit is " +
                   std::to_string(Shape::kMaxRank));
  }
  std::vector<std::int64_t> shape;
  // Bounded one by one, so that no product of dimensions overflows.
  std::uint64_t elements = 1;
  for (const simdjson::dom::element item : dims) {
    std::uint64_t dim = 0;
    if (item.get(dim) != simdjson::SUCCESS)
      return invalid(name + ": shape contains a value that is not a dimension");
    if (dim > kMaxElements / elements) return invalid(name + ": shape has more than 2^44 elements");
    elements *= std::max<std::uint64_t>(dim, 1);
    shape.push_back(static_cast<std::int64_t>(dim));
  }
  return Shape(shape);
}

Result<Entry> read_entry(std::string_view name_view, simdjson::dom::element value, std::uint64_t data_size) {
  Entry entry;
  entry.name = name_view;
  simdjson::dom::object fields;
  if (value.get(fields) != simdjson::SUCCESS) return invalid(entry.name + ": its entry is not an object");
  std::string_view dtype;
  if (fields["dtype"].get(dtype) != simdjson::SUCCESS) return invalid(entry.name + ": has no dtype");
  const auto* known =
      std::find_if(kDTypes.begin(), kDTypes.end(), [&](const auto& row) { return row.first == dtype; });
  if (known == kDTypes.end()) {
    return fail(ErrorCode::kUnimplemented,
                entry.name + ": dtype '" + std::string(dtype.substr(0, 32)) + "' is not supported");
  }
  entry.dtype = known->second;
  simdjson::dom::element part;
  if (fields["shape"].get(part) != simdjson::SUCCESS) return invalid(entry.name + ": has no shape");
  auto shape = read_shape(part, entry.name);
  if (!shape) return Unexpected(shape.error());
  entry.shape = *shape;
  simdjson::dom::array offsets;
  if (fields["data_offsets"].get(offsets) != simdjson::SUCCESS || offsets.size() != 2 ||
      offsets.at(0).get(entry.begin) != simdjson::SUCCESS ||
      offsets.at(1).get(entry.end) != simdjson::SUCCESS) {
    return invalid(entry.name + ": data_offsets must be two whole numbers");
  }
  if (entry.begin > entry.end || entry.end > data_size) {
    return invalid(entry.name + ": data_offsets [" + std::to_string(entry.begin) + "," +
                   std::to_string(entry.end) + "] lie outside the " + std::to_string(data_size) +
                   " bytes of data");
  }
  const std::uint64_t size = entry.shape.elements() * element_size(entry.dtype);
  if (entry.end - entry.begin != size) {
    return invalid(entry.name + ": " + std::string(dtype) + " " + entry.shape.text() + " takes " +
                   std::to_string(size) + " bytes, but data_offsets span " +
                   std::to_string(entry.end - entry.begin));
  }
  return entry;
}

Result<std::vector<Entry>> read_entries(std::string_view header, std::uint64_t data_size) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  const simdjson::padded_string padded(header);
  if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS)
    return invalid(std::string("the header is not a JSON object: ") + simdjson::error_message(error));
  std::vector<Entry> entries;
  for (const auto& [name, value] : root) {
    if (name == "__metadata__") continue;
    auto entry = read_entry(name, value, data_size);
    if (!entry) return Unexpected(entry.error());
    entries.push_back(*std::move(entry));
  }
  // The format forbids gaps, so that no other data can hide in a file.
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t expected = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != expected) {
      return invalid(entry.name + ": begins at byte " + std::to_string(entry.begin) +
                     ", but the previous tensor ends at " + std::to_string(expected));
    }
    expected = entry.end;
  }
  if (expected != data_size) {
    return invalid("the tensors take " + std::to_string(expected) + " bytes, the file has " +
                   std::to_string(data_size));
  }
  return entries;
}

/// Unmaps a file when it is destroyed.
struct Mapping {
  Mapping(void* begin, std::size_t length) : address(begin), size(length) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { munmap(address, size); }
  void* address;
  std::size_t size;
};

struct Descriptor {
  explicit Descriptor(int value) : fd(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

}  // namespace

Result<TensorMap> parse_safetensors(std::span<std::byte> bytes, std::shared_ptr<void> owner) {
  try {
    std::uint64_t header_size = 0;
    constexpr std::string_view kPointer = "version https://git-lfs.";
    if (std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(kPointer))
      return invalid("is a Git LFS pointer, not the file itself; fetch the file with git lfs pull");
    if (bytes.size() < sizeof(header_size))
      return invalid("is shorter than the 8 bytes of the header's length");
    std::memcpy(&header_size, bytes.data(), sizeof(header_size));
    const std::uint64_t rest = bytes.size() - sizeof(header_size);
    if (header_size > kMaxHeader || header_size > rest) {
      return invalid("the header's length is given as " + std::to_string(header_size) +
                     " bytes, the file has " + std::to_string(rest) + " more, and the limit is " +
                     std::to_string(kMaxHeader));
    }
    const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + sizeof(header_size),
                                  header_size);
    auto entries = read_entries(header, rest - header_size);
    if (!entries) return Unexpected(entries.error());
    std::byte* data = bytes.data() + sizeof(header_size) + header_size;
    TensorMap tensors;
    for (Entry& entry : *entries) {
      Tensor tensor = Tensor::wrap(entry.dtype, entry.shape, owner, data + entry.begin);
      if (!tensors.emplace(entry.name, std::move(tensor)).second)
        return invalid(entry.name + ": occurs twice");
    }
    return tensors;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

Result<TensorMap> read_safetensors(const std::filesystem::path& file) {
  const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.fd < 0 && errno != ENOENT) return Unexpected(unreadable(file, errno));
  struct stat status {};
  if (descriptor.fd < 0 || fstat(descriptor.fd, &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::kNotFound, file.string() + ": no such file, or not a regular one");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return invalid(file.string() + ": is empty");
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor.fd, 0);
  if (address == MAP_FAILED)
    return fail(ErrorCode::kFailedPrecondition, file.string() + ": cannot be mapped");
  auto mapping = std::make_shared<Mapping>(address, size);
  auto tensors = parse_safetensors({static_cast<std::byte*>(address), size}, mapping);
  if (!tensors) return fail(tensors.error().code, file.string() + ": " + tensors.error().message);
  return tensors;
}

}  // namespace infer::inline v0
