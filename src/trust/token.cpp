// A token is base64 (of URLs, without padding) of: 1, the cluster, the count of addresses and each
// of them (a text is one byte of length and its bytes), the inviter's key, the number (8 bytes,
// high first), the secret, and 4 bytes that tell a word which was cut or mistyped.
#include "ballast/trust/token.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "ballast/base/limits.h"
#include "base64.h"

namespace ballast::trust {
namespace {

constexpr std::string_view prefix = "ballast-";
constexpr std::string_view proof_context = "ballast-join/1";
constexpr std::uint8_t token_version = 1;
constexpr std::size_t check_bytes = 4;

void add_text(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size());
  out += text;
}

template <class Bytes>
std::string_view view_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string number_bytes(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 8; i > 0; --i, number >>= 8U)
    bytes[i - 1] = static_cast<char>(number & 0xFFU);
  return bytes;
}

std::string check_of(std::string_view bytes) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  return std::string(view_of(hash).substr(0, check_bytes));
}

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}
  std::string_view take(std::size_t size) {
    if (size > left_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view part = left_.substr(0, size);
    left_.remove_prefix(size);
    return part;
  }
  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? 0 : static_cast<std::uint8_t>(one[0]);
  }
  std::string text() { return std::string(take(byte())); }
  template <class Bytes>
  void fill(Bytes& bytes) {
    const std::string_view part = take(bytes.size());
    if (!failed_) std::memcpy(bytes.data(), part.data(), part.size());
  }
  bool is_done() const { return !failed_ && left_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::string_view left_;
  bool failed_ = false;
};

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  return colon != std::string_view::npos && colon > 0 &&
         text.size() <= limits::endpoint_bytes_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == ':'; });
}

}  // namespace

std::string text_of(const Token& token) {
  std::string bytes(1, static_cast<char>(token_version));
  add_text(bytes, token.cluster);
  bytes += static_cast<char>(token.addresses.size());
  for (const std::string& address : token.addresses) add_text(bytes, address);
  bytes += view_of(token.inviter);
  bytes += number_bytes(token.invitation);
  bytes += view_of(token.secret);
  bytes += check_of(bytes);
  std::string text(
      sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.resize(std::strlen(text.c_str()));
  return std::string(prefix) + text;
}

Result<Token> parse_token(std::string_view text) {
  const Error cut{
      "token: is not whole, or was changed on its way: expected the one word that `ballast invite` "
      "printed, all of it"};
  if (!text.starts_with(prefix))
    return Error{
        "token: does not begin with \"ballast-\": expected the one word that `ballast "
        "invite` printed"};
  text.remove_prefix(prefix.size());
  if (text.size() > limits::token_bytes_max) return cut;
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
      size <= check_bytes)
    return cut;
  bytes.resize(size);
  const std::string_view checked = std::string_view(bytes).substr(0, size - check_bytes);
  if (check_of(checked) != std::string_view(bytes).substr(size - check_bytes)) return cut;
  Cursor in(checked);
  if (const std::uint8_t found = in.byte(); found != token_version)
    return Error{"token: is of version " + std::to_string(found) +
                 ", expected 1: the inviter has "
                 "a newer ballast than this host"};
  Token token;
  token.cluster = in.text();
  const std::size_t addresses = in.byte();
  if (addresses == 0 || addresses > limits::token_addresses_max) return cut;
  for (std::size_t i = 0; i < addresses; ++i) token.addresses.push_back(in.text());
  in.fill(token.inviter);
  for (const char byte : in.take(8))
    token.invitation = token.invitation << 8U | static_cast<unsigned char>(byte);
  in.fill(token.secret);
  const bool good = in.is_done() && is_valid_id(token.cluster) &&
                    std::all_of(token.addresses.begin(), token.addresses.end(), is_address);
  // A key that is none would end the program later on.
  if (!good || !parse_key(text_of(token.inviter)).ok()) return cut;
  return token;
}

wire::PublicKey proof_of(const Token& token, const NodeId& node, const IdentityKey& key) {
  wire::PublicKey proof{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, token.secret.data(), token.secret.size(), proof.size());
  const std::string zero(1, '\0');
  const std::string number = number_bytes(token.invitation);
  for (const std::string_view part :
       {proof_context, std::string_view(zero), std::string_view(token.cluster),
        std::string_view(zero), std::string_view(node.str()), std::string_view(zero), view_of(key),
        view_of(token.inviter), std::string_view(number)})
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                              part.size());
  crypto_generichash_final(&state, proof.data(), proof.size());
  return proof;
}

bool are_equal(const wire::PublicKey& a, const wire::PublicKey& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Secret fresh_secret() {
  Secret secret;
  randombytes_buf(secret.data(), secret.size());
  return secret;
}

std::uint64_t fresh_number() {
  std::uint64_t number = 0;
  randombytes_buf(&number, sizeof number);
  return number;
}

}  // namespace ballast::trust
