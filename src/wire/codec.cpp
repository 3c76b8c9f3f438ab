// One walk over the schema writes a message, another reads it. The kind on the wire is the place of
// the body in `Body`, from 1: new kinds go to its end.
#include "ballast/wire/codec.h"

#include <utility>

#include "packer.h"
#include "reader.h"

namespace ballast::wire {
namespace {

constexpr std::size_t kinds = std::variant_size_v<Body>;
static_assert(kinds < 128, "a kind is one byte of msgpack");

std::size_t expected_bytes(const Body& body) {
  constexpr std::size_t plain = 512;
  constexpr std::size_t per_vm = 112;
  if (const auto* report = std::get_if<Report>(&body)) {
    return plain + per_vm * report->report.vms.size();
  }
  if (const auto* attach = std::get_if<Attach>(&body)) {
    return plain + per_vm * attach->report.vms.size();
  }
  return plain;
}

// Makes `body` the alternative number `index` and reads its fields.
template <std::size_t... I>
void read_body(Reader& in, std::size_t index, Body& body, std::index_sequence<I...>) {
  ((index == I ? fields(in, "", body.emplace<I>()) : void()), ...);
}

Error prefixed(const std::string& what, const Error& error) {
  return Error{what + ": " + error.message};
}

}  // namespace

std::string encode(const Message& message) {
  ByteSink sink(expected_bytes(message.body));
  Packer out(sink);
  out.array(message_fields);
  out.whole("version", protocol_version);
  header_fields(out, message.header);
  out.whole("kind", static_cast<std::uint32_t>(message.body.index() + 1));
  std::visit([&](const auto& body) { fields(out, "", body); }, message.body);
  return sink.take();
}

Result<Message> decode(std::string_view bytes) {
  if (bytes.size() > limits::message_bytes_max) {
    return Error{"message: found " + std::to_string(bytes.size()) + " bytes, expected at most " +
                 std::to_string(limits::message_bytes_max)};
  }
  Reader in(bytes);
  Message message;
  std::uint32_t version = 0;
  std::uint32_t kind = 0;
  const std::uint32_t size = in.array("");
  in.whole("version", version);
  if (!in.failed() && version != protocol_version) {
    in.fail("version", std::to_string(version), std::to_string(protocol_version));
  }
  if (!in.failed() && size != message_fields) {
    in.fail("", std::to_string(size) + " fields", std::to_string(message_fields));
  }
  header_fields(in, message.header);
  in.whole("kind", kind);
  if (!in.failed() && (kind == 0 || kind > kinds)) {
    in.fail("kind", std::to_string(kind), "1 to " + std::to_string(kinds));
  }
  if (in.failed()) return prefixed("header", in.error());
  read_body(in, kind - 1, message.body, std::make_index_sequence<kinds>());
  in.finish();
  if (in.failed()) return prefixed(name_of(message.body), in.error());
  return message;
}

}  // namespace ballast::wire
