// An invitation as one word that people pass on: `ballast invite` prints it, `ballast join` takes
// it. It holds where the inviter is reached, the key to expect there, and a secret; who has heard
// all that was said over the network with its help has nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/trust/keys.h"

namespace ballast::trust {

using Secret = std::array<std::uint8_t, 16>;

struct Token {
  std::string cluster;
  std::vector<std::string> addresses;  // "A.B.C.D:PORT" of the inviter, 1 to 8
  IdentityKey inviter{};
  std::uint64_t invitation = 0;
  Secret secret{};
  bool operator==(const Token&) const = default;
};

std::string text_of(const Token& token);
// Error when it was cut or changed on its way, or is none; it never repeats the text, which is
// secret.
Result<Token> parse_token(std::string_view text);

// What proves that the owner of this key knows the token's secret, and is good for him alone.
wire::PublicKey proof_of(const Token& token, const NodeId& node, const IdentityKey& key);
bool are_equal(const wire::PublicKey& a, const wire::PublicKey& b);  // in constant time

Secret fresh_secret();
std::uint64_t fresh_number();

}  // namespace ballast::trust
