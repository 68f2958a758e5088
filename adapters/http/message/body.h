#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "infer/engine/buffer_pool.h"

namespace infer::http {

/// The bytes of a request's body, followed by padding that a parser may read.
class Body {
 public:
  /// Padding that simdjson reads beyond its text.
  static constexpr std::size_t kPadding = 64;

  Body() = default;
  explicit Body(std::string_view text) { append(text.data(), text.size()); }

  /// Takes uninitialised memory for `size` bytes from `pool`. Byte `aligned` lies at a multiple of 64, so
  /// that tensors from there on need no copy. Only for an empty body. Throws std::bad_alloc.
  void reserve(const BufferPool& pool, std::size_t size, std::size_t aligned) {
    const std::size_t offset = (kAlignment - aligned % kAlignment) % kAlignment;
    owner_ = pool.take(offset + size + kPadding);
    data_ = static_cast<char*>(owner_.get()) + offset;
    capacity_ = size;
  }

  /// Moves the bytes into memory of `pool` for `size` bytes in all. Throws std::bad_alloc.
  void expand(const BufferPool& pool, std::size_t size) {
    auto memory = pool.take(size + kPadding);
    if (size_ > 0) std::memcpy(memory.get(), data_, size_);
    data_ = static_cast<char*>(memory.get());
    owner_ = std::move(memory);
    capacity_ = size;
  }
  std::size_t capacity() const noexcept { return capacity_; }

  /// Returns where to write the next `size` bytes; call `grow` afterwards. Throws std::bad_alloc.
  char* room(std::size_t size) {
    if (size > capacity_ - size_) reallocate(std::max(size_ + size, 2 * capacity_));
    return data_ + size_;
  }
  void grow(std::size_t size) { size_ += size; }

  void append(const char* data, std::size_t size) {
    if (size == 0) return;
    std::memcpy(room(size), data, size);
    grow(size);
  }

  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view text() const noexcept { return {data_, size_}; }
  /// Keeps the bytes alive after this object is destroyed.
  const std::shared_ptr<void>& owner() const noexcept { return owner_; }

 private:
  static constexpr std::size_t kAlignment = 64;

  void reallocate(std::size_t size) {
    std::shared_ptr<char[]> memory(new char[size + kPadding]);
    if (size_ > 0) std::memcpy(memory.get(), data_, size_);
    data_ = memory.get();
    owner_ = std::move(memory);
    capacity_ = size;
  }

  std::shared_ptr<void> owner_;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace infer::http
