// Items: what a master signs, and what others relay byte for byte.

#include "ballast/wire/mesh_messages.h"

#include <algorithm>

#include "packer.h"
#include "reader.h"

namespace ballast::wire {
namespace {

bool same(const std::vector<ItemPtr>& a, const std::vector<ItemPtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x->bytes == y->bytes && x->signature == y->signature;
  });
}

}  // namespace

bool Gossip::operator==(const Gossip& other) const {
  return same(items, other.items) && digest == other.digest;
}

bool Pulled::operator==(const Pulled& other) const { return same(items, other.items); }

ItemPtr make_item(std::uint64_t incarnation, std::uint64_t version, const Summary& summary,
                  const Signer& signer) {
  Item item;
  item.incarnation = incarnation;
  item.version = version;
  item.summary = summary;
  constexpr std::size_t usual_bytes = 256;
  ByteSink sink(usual_bytes);
  Packer out(sink);
  fields(out, "item", item);
  // Read back, so that our own copy says exactly what others read: rounded and cleaned.
  Result<ItemPtr> read = parse_item(sink.take(), {});
  BALLAST_ASSERT(read.ok(), "our own summary is within its bounds");
  Item made = **read;
  made.signature = signer.sign(made.bytes);
  return std::make_shared<const Item>(std::move(made));
}

Result<ItemPtr> parse_item(std::string bytes, const Signature& signature) {
  if (bytes.size() > limits::item_bytes_max)
    return Error{std::to_string(bytes.size()) + " bytes, expected at most " +
                 std::to_string(limits::item_bytes_max)};
  Item item;
  Reader in(bytes);
  fields(in, "item", item);
  in.finish();
  if (in.failed()) return in.error();
  item.bytes = std::move(bytes);
  item.signature = signature;
  item.key = key_of(item.origin());
  return std::make_shared<const Item>(std::move(item));
}

std::uint64_t key_of(const NodeId& master) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : master.str()) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  hash ^= hash >> 32U;
  hash *= 0xD6E8FEB86659FD93U;
  return hash ^ hash >> 32U;
}

}  // namespace ballast::wire
