// The identity of a node: one secret seed, an Ed25519 pair made from it, and the X25519 pair that
// CURVE speaks with made from that. So one short text names a node, for signatures and connections
// alike. Source: RFC 8032 (Ed25519), RFC 7748 (X25519), libsodium "Ed25519 to Curve25519".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/port/trust.h"

namespace ballast::trust {

using Seed = std::array<std::uint8_t, 32>;
using IdentityKey = std::array<std::uint8_t, 32>;  // Ed25519 public
using Signature = std::array<std::uint8_t, 64>;    // Ed25519, detached

// What a key file is for: one is not taken for the other.
enum class KeyKind : unsigned char { node, fleet };

// Secret; wiped when it goes.
class Identity {
 public:
  // From the system's random source.
  static Identity fresh();
  static Identity from_seed(const Seed& seed);
  // Error when the file is missing, no key file, or open to others than its owner; the message
  // names the file and what to do.
  static Result<Identity> read(const std::string& file, KeyKind kind = KeyKind::node);

  Identity(const Identity&) = default;
  Identity& operator=(const Identity&) = default;
  ~Identity();

  // Writes the key file with mode 0600. Error when anything is there already: a key is never
  // overwritten.
  Status write_new(const std::string& file, KeyKind kind = KeyKind::node) const;

  // Deterministic: the same text gives the same signature.
  Signature sign(std::string_view text) const;
  // The X25519 secret that we share with the owner of this key; nothing for a key that would give
  // a secret known to all.
  std::optional<std::array<std::uint8_t, 32>> shared_secret(const port::CurveKey& other) const;

  // The secret as text, for handing it to another process of this host. Wipe it.
  std::string secret_text() const;
  // Nothing when the text is no such one.
  static std::optional<Identity> from_secret_text(std::string_view text);
  const IdentityKey& public_key() const { return public_key_; }
  const port::CurveKey& curve_public_key() const { return curve_public_key_; }
  const port::CurveKey& curve_secret_key() const { return curve_secret_key_; }

 private:
  Identity() = default;

  Seed seed_{};
  IdentityKey public_key_{};
  port::CurveKey curve_public_key_{};
  port::CurveKey curve_secret_key_{};
};

// Whether the owner of this key signed this text.
bool is_signed_by(const IdentityKey& key, std::string_view text, const Signature& signature);

// A public key as people pass it on: 44 characters of base64.
std::string text_of(const IdentityKey& key);
// Error when it is not exactly such a text, or not a usable key.
Result<IdentityKey> parse_key(std::string_view text);

// CURVE keys that were made of identities before: making one takes the better part of a tenth of a
// millisecond, and a file may name 131,072.
using CurveKeys = std::map<IdentityKey, port::CurveKey>;
struct NodeKeys {
  IdentityKey identity{};
  port::CurveKey curve{};
};
// Both keys of a node in one go. One that is known is neither made nor looked at again.
Result<NodeKeys> parse_keys(std::string_view text, const CurveKeys& known);

// The CURVE key of the node with this identity. The key must have come from parse_key() or
// Identity.
port::CurveKey curve_key_of(const IdentityKey& key);

}  // namespace ballast::trust
