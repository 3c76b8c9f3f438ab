#include "ballast/trust/signer.h"

#include <utility>

namespace ballast::trust {
namespace {

constexpr std::string_view context = "ballast-item/1";

}  // namespace

ItemSigner::ItemSigner(const TrustStore& store, std::string cluster)
    : store_(store), cluster_(std::move(cluster)) {}

// The zero bytes keep the parts apart: neither a context nor a cluster's name holds one.
std::string ItemSigner::signed_text(std::string_view text) const {
  std::string all(context);
  all += '\0';
  all += cluster_;
  all += '\0';
  all += text;
  return all;
}

wire::Signature ItemSigner::sign(std::string_view text) const {
  return store_.identity().sign(signed_text(text));
}

bool ItemSigner::verify(const NodeId& origin, std::string_view text,
                        const wire::Signature& signature) const {
  if (!store_.may_be_master(origin)) return false;
  const std::optional<IdentityKey> key = store_.identity_of(origin);
  return key && is_signed_by(*key, signed_text(text), signature);
}

}  // namespace ballast::trust
