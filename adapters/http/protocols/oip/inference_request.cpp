#include "protocols/oip/inference_request.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <unordered_set>
#include <utility>

#include "base64.h"
#include "infer/core/invalid.h"
#include "json/json_body.h"

namespace infer::http {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// Larger than any body, and small enough that products of a few such numbers do not overflow.
constexpr std::size_t kMaxElements = std::size_t{1} << 40;

// Each of these costs many times its own bytes, so a body may hold only as many as clients need.
constexpr std::size_t kMaxTensors = 1024;     ///< Of inputs, and of outputs.
constexpr std::size_t kMaxStrings = 1 << 16;  ///< Elements of BYTES in all inputs.

Unexpected too_many(const std::string& what, std::size_t count, std::size_t limit) {
  return fail(ErrorCode::kInvalidArgument,
              what + ": " + std::to_string(count) + " exceed the limit of " + std::to_string(limit),
              ErrorDetail::kTooLarge);
}

/// Hands out the bytes of binary tensors, in order.
class BinaryData {
 public:
  explicit BinaryData(std::string_view bytes) : left_(bytes) {}
  std::size_t left() const noexcept { return left_.size(); }
  std::string_view take(std::size_t size) {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view left_;
};

/// Reads the elements of nested or flat lists, in row-major order.
template <class T>
class ElementReader {
 public:
  ElementReader(const std::string& name, std::span<T> out) : name_(name), out_(out) {}

  Result<void> read(const element& data) {
    if (auto done = read_any(data, 0); !done) return done;
    if (count_ != out_.size()) return miscounted();
    return {};
  }

 private:
  static constexpr std::size_t kMaxDepth = 16;

  Unexpected miscounted() const {
    return invalid("inputs." + name_ + ".data: " + (count_ > out_.size() ? "more than " : "") +
                   std::to_string(std::min(count_, out_.size())) + " elements, but shape needs " +
                   std::to_string(out_.size()));
  }

  Result<void> read_any(const element& value, std::size_t depth) {
    array list;
    if (value.get(list)) return read_one(value);
    if (depth == kMaxDepth)
      return invalid("inputs." + name_ + ".data: lists nest deeper than " + std::to_string(kMaxDepth));
    for (const element item : list) {
      if (auto done = read_any(item, depth + 1); !done) return done;
    }
    return {};
  }

  Result<void> read_one(const element& value) {
    if (count_ == out_.size()) {
      ++count_;
      return miscounted();
    }
    if (!convert(value, out_[count_])) {
      return invalid("inputs." + name_ + ".data: element " + std::to_string(count_) + " is " +
                     in_quotes(simdjson::minify(value)) + ", which does not fit the datatype");
    }
    ++count_;
    return {};
  }

  static bool convert(const element& value, T& out) {
    if constexpr (std::same_as<T, bool>) {
      std::int64_t number = 0;
      if (!value.get(out)) return true;
      if (value.get(number) || (number != 0 && number != 1)) return false;
      out = number == 1;
      return true;
    } else if constexpr (std::floating_point<T>) {
      double number = 0;
      if (value.get(number)) return false;
      out = static_cast<T>(number);
      return std::isfinite(out);
    } else if constexpr (std::same_as<T, std::uint64_t>) {
      return !value.get(out);
    } else {
      std::int64_t number = 0;
      if (value.get(number) || !std::in_range<T>(number)) return false;
      out = static_cast<T>(number);
      return true;
    }
  }

  const std::string& name_;
  std::span<T> out_;
  std::size_t count_ = 0;
};

template <class T>
Result<void> fill(Tensor& tensor, const std::string& name, const element& data) {
  return ElementReader<T>(name, tensor.as<T>()).read(data);
}

Result<void> fill_numbers(Tensor& tensor, const std::string& name, const element& data) {
  switch (tensor.dtype()) {
    case DType::kBool:
      return fill<bool>(tensor, name, data);
    case DType::kUint8:
      return fill<std::uint8_t>(tensor, name, data);
    case DType::kUint16:
      return fill<std::uint16_t>(tensor, name, data);
    case DType::kUint32:
      return fill<std::uint32_t>(tensor, name, data);
    case DType::kUint64:
      return fill<std::uint64_t>(tensor, name, data);
    case DType::kInt8:
      return fill<std::int8_t>(tensor, name, data);
    case DType::kInt16:
      return fill<std::int16_t>(tensor, name, data);
    case DType::kInt32:
      return fill<std::int32_t>(tensor, name, data);
    case DType::kInt64:
      return fill<std::int64_t>(tensor, name, data);
    case DType::kFp32:
      return fill<float>(tensor, name, data);
    case DType::kFp64:
      return fill<double>(tensor, name, data);
    case DType::kFp16:
    case DType::kBf16:
      break;
  }
  return invalid("inputs." + name + ".datatype: " + std::string(to_string(tensor.dtype())) +
                 " can only be sent as binary data");
}

Result<Shape> parse_shape(const object& input, const std::string& name) {
  const auto bad = [&](const std::string& what) { return invalid("inputs." + name + ".shape: " + what); };
  array list;
  if (input["shape"].get(list)) return bad("must be a list of whole numbers");
  std::vector<std::int64_t> dims;
  std::size_t elements = 1;
  for (const element item : list) {
    std::int64_t dim = 0;
    if (item.get(dim) || dim < 0) return bad("must be a list of whole numbers that are not negative");
    if (dims.size() == Shape::kMaxRank)
      return bad("more than " + std::to_string(Shape::kMaxRank) + " dimensions");
    dims.push_back(dim);
    if (dim > 0 && elements > kMaxElements / static_cast<std::size_t>(dim))
      return bad("more than " + std::to_string(kMaxElements) + " elements");
    elements *= static_cast<std::size_t>(dim);
  }
  return Shape(dims);
}

/// Parses strings that each follow their length, four bytes in little-endian order.
Result<void> parse_strings(NamedTensor& tensor, std::string_view bytes) {
  const std::size_t count = tensor.shape.elements();
  const std::string where = "inputs." + tensor.name + ": ";
  while (!bytes.empty()) {
    if (tensor.strings.size() == count)
      return invalid(where + "binary data holds more than the " + std::to_string(count) +
                     " elements of its shape");
    std::uint32_t size = 0;
    if (bytes.size() < sizeof size)
      return invalid(where + "binary data ends within the length of an element");
    for (std::size_t i = sizeof size; i-- > 0;) size = (size << 8) | static_cast<unsigned char>(bytes[i]);
    bytes.remove_prefix(sizeof size);
    if (size > bytes.size()) {
      return invalid(where + "element " + std::to_string(tensor.strings.size()) + " has " +
                     std::to_string(size) + " bytes, " + std::to_string(bytes.size()) + " are left");
    }
    tensor.strings.emplace_back(reinterpret_cast<const std::uint8_t*>(bytes.data()), size);
    bytes.remove_prefix(size);
  }
  if (tensor.strings.size() != count) {
    return invalid(where + "binary data holds " + std::to_string(tensor.strings.size()) +
                   " elements, but shape needs " + std::to_string(count));
  }
  return {};
}

/// Returns a tensor over `bytes` of `body`. Copies them only if they are not aligned for the elements.
Result<Tensor> view(DType dtype, const Shape& shape, const Body& body, std::string_view bytes) {
  auto* data = const_cast<char*>(bytes.data());  // NOLINT: tensors of requests are only read
  if (reinterpret_cast<std::uintptr_t>(data) % element_size(dtype) == 0)
    return Tensor::wrap(dtype, shape, body.owner(), data);
  auto tensor = Tensor::allocate(dtype, shape);
  if (tensor && !bytes.empty()) std::memcpy(tensor->data(), bytes.data(), bytes.size());
  return tensor;
}

class RequestParser {
 public:
  RequestParser(const Body& body, std::size_t json_bytes)
      : body_(body), binary_(body.text().substr(json_bytes)) {
    request_.body = body.owner();
  }

  Result<InferenceRequest> parse(const object& root) {
    element id;
    if (!root["id"].get(id) && !id.is_null()) {
      std::string_view text;
      if (id.get(text)) return invalid("id: must be a string");
      request_.id = text;
    }
    auto parameters = Parameters::of(root, "parameters");
    if (!parameters) return Unexpected(parameters.error());
    if (auto read = read_parameters(*parameters); !read) return Unexpected(read.error());
    array inputs;
    if (root["inputs"].get(inputs)) return invalid("inputs: must be a list of tensors");
    if (inputs.size() > kMaxTensors) return too_many("inputs", inputs.size(), kMaxTensors);
    for (const element input : inputs) {
      if (auto read = read_input(input); !read) return Unexpected(read.error());
    }
    if (binary_.left() > 0) {
      return invalid("body: " + std::to_string(binary_.left()) +
                     " bytes are left over after the binary_data_size of all inputs");
    }
    if (auto read = read_outputs(root); !read) return Unexpected(read.error());
    return std::move(request_);
  }

 private:
  /// Reads the optional "parameters" of an object.
  class Parameters {
   public:
    static Result<Parameters> of(const object& parent, const std::string& where) {
      Parameters found;
      element value;
      if (parent["parameters"].get(value) || value.is_null()) return found;
      object fields;
      if (value.get(fields)) return invalid(where + ": must be an object");
      found.fields_ = fields;
      return found;
    }
    bool find(std::string_view key, element& out) const { return fields_ && !(*fields_)[key].get(out); }

   private:
    std::optional<object> fields_;
  };

  Result<void> read_parameters(const Parameters& parameters) {
    element value;
    if (parameters.find("binary_data_output", value) && value.get(request_.binary_output))
      return invalid("parameters.binary_data_output: must be true or false");
    if (parameters.find("timeout", value)) {
      std::uint64_t us = 0;  // clients send 0 for no timeout
      if (value.get(us)) return invalid("parameters.timeout: must be a whole number of microseconds");
      if (us > 0) request_.timeout = std::chrono::microseconds(std::min<std::uint64_t>(us, 86'400'000'000));
    }
    return {};
  }

  Result<void> read_input(const element& value) {
    object input;
    std::string_view name;
    const std::string where = "inputs[" + std::to_string(request_.inputs.size()) + "]";
    if (value.get(input)) return invalid(where + ": must be an object");
    if (input["name"].get(name)) return invalid(where + ".name: must be a string");
    NamedTensor tensor;
    tensor.name = name;
    if (!names_.insert(name).second) return invalid(where + ".name: " + in_quotes(name) + " is given twice");
    auto shape = parse_shape(input, tensor.name);
    if (!shape) return Unexpected(shape.error());
    tensor.shape = *shape;
    std::string_view datatype;
    if (input["datatype"].get(datatype))
      return invalid("inputs." + tensor.name + ".datatype: must be a string");
    tensor.is_bytes = datatype == "BYTES";
    if (tensor.is_bytes) {
      const std::size_t elements = tensor.shape.elements();
      if (elements > kMaxStrings - strings_)
        return too_many("inputs." + tensor.name + ": elements of BYTES", elements, kMaxStrings - strings_);
      strings_ += elements;
    }
    const auto dtype = parse_dtype(datatype);
    if (!dtype && !tensor.is_bytes)
      return invalid("inputs." + tensor.name + ".datatype: " + in_quotes(datatype) + " is not known");
    auto parameters = Parameters::of(input, "inputs." + tensor.name + ".parameters");
    if (!parameters) return Unexpected(parameters.error());
    element size;
    element data;
    const bool has_size = parameters->find("binary_data_size", size);
    const bool has_data = !input["data"].get(data);
    if (has_size == has_data) {
      return invalid("inputs." + tensor.name + ": needs either data or parameters.binary_data_size" +
                     (has_size ? ", not both" : ""));
    }
    auto read = has_size ? read_binary(tensor, dtype, size) : read_json(tensor, dtype, data);
    if (!read) return read;
    request_.inputs.push_back(std::move(tensor));
    return {};
  }

  Result<void> read_binary(NamedTensor& tensor, std::optional<DType> dtype, const element& value) {
    const std::string where = "inputs." + tensor.name + ".parameters.binary_data_size: ";
    std::uint64_t size = 0;
    if (value.get(size)) return invalid(where + "must be a whole number");
    if (size > binary_.left()) {
      return invalid(where + std::to_string(size) + " bytes, but the body has only " +
                     std::to_string(binary_.left()) + " more");
    }
    const std::string_view bytes = binary_.take(size);
    if (!dtype) return parse_strings(tensor, bytes);
    const std::size_t expected = tensor.shape.elements() * element_size(*dtype);
    if (size != expected) {
      return invalid(where + std::to_string(size) + " bytes, shape " + tensor.shape.text() + " of " +
                     std::string(to_string(*dtype)) + " needs " + std::to_string(expected));
    }
    auto numbers = view(*dtype, tensor.shape, body_, bytes);
    if (!numbers) return Unexpected(numbers.error());
    tensor.numbers = *std::move(numbers);
    return {};
  }

  Result<void> read_json(NamedTensor& tensor, std::optional<DType> dtype, const element& data) {
    if (!dtype) return read_json_strings(tensor, data);
    // Each element takes at least two bytes of JSON, so a larger shape is wrong and must not allocate
    // memory.
    if (tensor.shape.elements() > body_.size()) {
      return invalid("inputs." + tensor.name + ".data: shape " + tensor.shape.text() +
                     " has more elements than the body has bytes");
    }
    auto numbers = Tensor::allocate(*dtype, tensor.shape);
    if (!numbers) return Unexpected(numbers.error());
    tensor.numbers = *std::move(numbers);
    return fill_numbers(tensor.numbers, tensor.name, data);
  }

  Result<void> read_json_strings(NamedTensor& tensor, const element& data) {
    const std::string where = "inputs." + tensor.name + ".data: ";
    if (!data.is_array()) return invalid(where + "must be a list of base64 strings, flat or as its shape");
    if (auto read = read_strings(tensor, data, 0, where); !read) return read;
    if (tensor.strings.size() != tensor.shape.elements()) {
      return invalid(where + std::to_string(tensor.strings.size()) + " elements, but shape needs " +
                     std::to_string(tensor.shape.elements()));
    }
    return {};
  }

  /// Reads the strings of nested or flat lists, in row-major order.
  Result<void> read_strings(NamedTensor& tensor, const element& data, std::size_t depth,
                            const std::string& where) {
    array list;
    if (!data.get(list)) {
      if (depth == Shape::kMaxRank)
        return invalid(where + "lists nest deeper than " + std::to_string(Shape::kMaxRank));
      for (const element item : list) {
        if (auto read = read_strings(tensor, item, depth + 1, where); !read) return read;
      }
      return {};
    }
    const std::string element_is = where + "element " + std::to_string(tensor.strings.size()) + ": ";
    std::string_view text;
    if (data.get(text)) return invalid(element_is + "must be a base64 string");
    if (tensor.strings.size() == tensor.shape.elements())
      return invalid(where + "more than the " + std::to_string(tensor.strings.size()) + " elements of shape");
    auto bytes = adapter::decode_base64(text);
    if (!bytes) return invalid(element_is + bytes.error().message);
    request_.decoded.push_back(*std::move(bytes));
    tensor.strings.emplace_back(request_.decoded.back());
    return {};
  }

  Result<void> read_outputs(const object& root) {
    element list;
    if (root["outputs"].get(list) || list.is_null()) return {};
    array outputs;
    if (list.get(outputs)) return invalid("outputs: must be a list");
    if (outputs.size() > kMaxTensors) return too_many("outputs", outputs.size(), kMaxTensors);
    names_.clear();
    for (const element value : outputs) {
      const std::string where = "outputs[" + std::to_string(request_.outputs.size()) + "]";
      object output;
      std::string_view name;
      if (value.get(output)) return invalid(where + ": must be an object");
      if (output["name"].get(name)) return invalid(where + ".name: must be a string");
      if (!names_.insert(name).second)
        return invalid(where + ".name: " + in_quotes(name) + " is given twice");
      RequestedOutput wanted{std::string(name), request_.binary_output};
      auto parameters = Parameters::of(output, where + ".parameters");
      if (!parameters) return Unexpected(parameters.error());
      element flag;
      if (parameters->find("binary_data", flag) && flag.get(wanted.binary))
        return invalid(where + ".parameters.binary_data: must be true or false");
      if (parameters->find("classification", flag))
        return invalid(where + ".parameters.classification: the classification extension is not supported");
      request_.outputs.push_back(std::move(wanted));
    }
    return {};
  }

  const Body& body_;
  BinaryData binary_;
  InferenceRequest request_;
  std::unordered_set<std::string_view> names_;  ///< Of the inputs, later of the outputs.
  std::size_t strings_ = 0;                     ///< Elements of BYTES so far.
};

}  // namespace

Result<InferenceRequest> parse_inference_request(const Body& body, std::optional<std::size_t> json_bytes) {
  const std::size_t length = json_bytes.value_or(body.size());
  if (length > body.size()) {
    return invalid("Inference-Header-Content-Length: " + std::to_string(length) + " exceeds the body's " +
                   std::to_string(body.size()) + " bytes");
  }
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(body.data(), length, false).get(root))
    return not_json(error, body.text().substr(0, length));
  object fields;
  if (root.get(fields)) return invalid("body: must be a JSON object");
  if (auto keys = check_keys(fields); !keys) return Unexpected(keys.error());
  return RequestParser(body, length).parse(fields);
}

Result<InferenceRequest> raw_inference_request(const Body& body, const ModelSignature& signature,
                                               bool as_bytes) {
  if (signature.inputs.size() != 1) {
    return invalid(
        "Inference-Header-Content-Length: 0 is only for models with one input, but this model has " +
        std::to_string(signature.inputs.size()));
  }
  const TensorSpec& spec = signature.inputs.front();
  InferenceRequest request;
  request.body = body.owner();
  request.binary_output = true;
  NamedTensor tensor;
  tensor.name = spec.name;
  tensor.is_bytes = as_bytes;
  if (as_bytes) {
    tensor.shape = Shape{1};
    tensor.strings.emplace_back(reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
    request.inputs.push_back(std::move(tensor));
    return request;
  }
  const std::size_t row = spec.shape.elements() * element_size(spec.dtype);
  if (!signature.is_static() || row == 0)
    return invalid("Inference-Header-Content-Length: 0 is only for models whose input has a fixed shape");
  if (body.size() % row != 0) {
    return invalid("body: " + std::to_string(body.size()) + " bytes are not a whole number of rows of " +
                   std::to_string(row));
  }
  tensor.shape = spec.shape.with_batch(static_cast<std::int64_t>(body.size() / row));
  auto numbers = view(spec.dtype, tensor.shape, body, body.text());
  if (!numbers) return Unexpected(numbers.error());
  tensor.numbers = *std::move(numbers);
  request.inputs.push_back(std::move(tensor));
  return request;
}

}  // namespace infer::http
