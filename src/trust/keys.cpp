// A key file is two lines: what it is, and the seed in base64.
#include "ballast/trust/keys.h"

#include <sodium.h>

#include "ballast/base/assert.h"
#include "ballast/base/ids.h"
#include "base64.h"
#include "small_file.h"

namespace ballast::trust {
namespace {

constexpr std::string_view first_line_of(KeyKind kind) {
  return kind == KeyKind::node ? "ballast-key/1\n" : "ballast-fleet-key/1\n";
}
constexpr std::size_t key_file_bytes_max = 1024;

static_assert(crypto_sign_SEEDBYTES == std::tuple_size_v<Seed>);
static_assert(crypto_sign_PUBLICKEYBYTES == std::tuple_size_v<IdentityKey>);
static_assert(crypto_sign_BYTES == std::tuple_size_v<Signature>);
static_assert(crypto_scalarmult_curve25519_BYTES == std::tuple_size_v<port::CurveKey>);

void prepare_sodium() {
  BALLAST_ASSERT(sodium_init() >= 0, "libsodium cannot start: no random source");
}

bool to_curve(const IdentityKey& key, port::CurveKey& curve) {
  return crypto_sign_ed25519_pk_to_curve25519(curve.data(), key.data()) == 0;
}

}  // namespace

Identity Identity::fresh() {
  prepare_sodium();
  Seed seed;
  randombytes_buf(seed.data(), seed.size());
  const Identity identity = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return identity;
}

Identity Identity::from_seed(const Seed& seed) {
  prepare_sodium();
  Identity identity;
  identity.seed_ = seed;
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
  crypto_sign_seed_keypair(identity.public_key_.data(), secret.data(), seed.data());
  crypto_sign_ed25519_sk_to_curve25519(identity.curve_secret_key_.data(), secret.data());
  const bool good = to_curve(identity.public_key_, identity.curve_public_key_);
  BALLAST_ASSERT(good, "a key of our own is not on the curve");
  sodium_memzero(secret.data(), secret.size());
  return identity;
}

Identity::~Identity() {
  sodium_memzero(seed_.data(), seed_.size());
  sodium_memzero(curve_secret_key_.data(), curve_secret_key_.size());
}

Result<Identity> Identity::read(const std::string& file, KeyKind kind) {
  prepare_sodium();
  const std::string_view first_line = first_line_of(kind);
  Result<std::string> text = read_small(file, key_file_bytes_max, true);
  if (!text) return text.error();
  const bool is_whole = text->size() == first_line.size() + key_text_bytes + 1 &&
                        text->starts_with(first_line) && text->ends_with('\n');
  auto seed =
      is_whole ? bytes_of_base64(std::string_view(*text).substr(first_line.size(), key_text_bytes))
               : std::nullopt;
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.InnerPointer): the view into it has gone before
  sodium_memzero(text->data(), text->size());
  if (!seed) {
    return Error{file + ": is no key file, expected " +
                 quoted(first_line.substr(0, first_line.size() - 1)) + " and a line of " +
                 std::to_string(key_text_bytes) + " characters (`ballast " +
                 (kind == KeyKind::node ? "keygen" : "init") + "` makes one)"};
  }
  const Identity identity = from_seed(*seed);
  sodium_memzero(seed->data(), seed->size());
  return identity;
}

std::string Identity::secret_text() const { return base64_of(seed_); }

std::optional<Identity> Identity::from_secret_text(std::string_view text) {
  prepare_sodium();
  auto seed = bytes_of_base64(text);
  if (!seed) return std::nullopt;
  const Identity identity = from_seed(*seed);
  sodium_memzero(seed->data(), seed->size());
  return identity;
}

Signature Identity::sign(std::string_view text) const {
  IdentityKey open;
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
  crypto_sign_seed_keypair(open.data(), secret.data(), seed_.data());
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                       secret.data());
  sodium_memzero(secret.data(), secret.size());
  return signature;
}

std::optional<std::array<std::uint8_t, 32>> Identity::shared_secret(
    const port::CurveKey& other) const {
  std::array<std::uint8_t, crypto_box_BEFORENMBYTES> secret{};
  if (crypto_box_beforenm(secret.data(), other.data(), curve_secret_key_.data()) != 0)
    return std::nullopt;
  return secret;
}

bool is_signed_by(const IdentityKey& key, std::string_view text, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size(), key.data()) == 0;
}

Status Identity::write_new(const std::string& file, KeyKind kind) const {
  std::string text = std::string(first_line_of(kind)) + base64_of(seed_) + "\n";
  const Status written = write_new_secret(file, text);
  sodium_memzero(text.data(), text.size());
  return written;
}

std::string text_of(const IdentityKey& key) { return base64_of(key); }

Result<IdentityKey> parse_key(std::string_view text) {
  const Result<NodeKeys> keys = parse_keys(text, {});
  if (!keys) return keys.error();
  return keys->identity;
}

Result<NodeKeys> parse_keys(std::string_view text, const CurveKeys& known) {
  prepare_sodium();
  const auto bytes = bytes_of_base64(text);
  port::CurveKey curve{};
  if (bytes) {
    if (const auto before = known.find(*bytes); before != known.end())
      return NodeKeys{*bytes, before->second};
  }
  // Not every 32 bytes are a point of the curve, and some points would make a connection open to
  // all.
  if (bytes && to_curve(*bytes, curve)) return NodeKeys{*bytes, curve};
  return Error{"key: found " + quoted(text) + ", expected the " + std::to_string(key_text_bytes) +
               " characters that `ballast keygen` prints"};
}

port::CurveKey curve_key_of(const IdentityKey& key) {
  port::CurveKey curve{};
  const bool good = to_curve(key, curve);
  BALLAST_ASSERT(good, "a key that parse_key would have refused");
  return curve;
}

}  // namespace ballast::trust
