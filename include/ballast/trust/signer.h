// Signs what this node gossips and checks what others are said to have gossiped: Ed25519 over a
// context, the cluster's name and the text, so that a signature is good for nothing else. Source:
// RFC 8032; design, section 4, "Security".
#pragma once

#include <string>

#include "ballast/trust/trust_store.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::trust {

class ItemSigner final : public wire::Signer {
 public:
  // `store` must outlive the signer; what it trusts counts at each call.
  ItemSigner(const TrustStore& store, std::string cluster);

  wire::Signature sign(std::string_view text) const override;
  // False when the origin is unknown or may not be master, whatever the signature.
  bool verify(const NodeId& origin, std::string_view text,
              const wire::Signature& signature) const override;

 private:
  std::string signed_text(std::string_view text) const;

  const TrustStore& store_;
  std::string cluster_;
};

}  // namespace ballast::trust
