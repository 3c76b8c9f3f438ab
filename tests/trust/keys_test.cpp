// Identities: made once, kept secret, the same whenever they are read.
#include "ballast/trust/keys.h"

#include <sodium.h>
#include <sys/stat.h>

#include "common/folder.h"

namespace ballast::trust {
namespace {

std::string read_error(const std::string& file) {
  const Result<Identity> identity = Identity::read(file);
  return identity.ok() ? "no error" : identity.error().message;
}

}  // namespace

TEST_CASE("an identity that was written is the same when it is read") {
  const Folder folder;
  const Identity identity = Identity::fresh();
  REQUIRE(identity.write_new(folder.at("node.key")).ok());
  struct stat status {};
  REQUIRE(stat(folder.at("node.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const Result<Identity> again = Identity::read(folder.at("node.key"));
  REQUIRE_MESSAGE(again.ok(), again.error().message);
  CHECK(again->public_key() == identity.public_key());
  CHECK(again->curve_secret_key() == identity.curve_secret_key());
}

TEST_CASE("two fresh identities differ") {
  CHECK(Identity::fresh().public_key() != Identity::fresh().public_key());
}

TEST_CASE("the keys of a seed are those of RFC 8032, and the CURVE pair fits together") {
  // Section 7.1, test 1.
  Seed seed;
  IdentityKey expected;
  const char* seed_hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const char* key_hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  REQUIRE(sodium_hex2bin(seed.data(), 32, seed_hex, 64, nullptr, nullptr, nullptr) == 0);
  REQUIRE(sodium_hex2bin(expected.data(), 32, key_hex, 64, nullptr, nullptr, nullptr) == 0);
  const Identity identity = Identity::from_seed(seed);
  CHECK(identity.public_key() == expected);
  port::CurveKey from_secret;
  crypto_scalarmult_base(from_secret.data(), identity.curve_secret_key().data());
  CHECK(from_secret == identity.curve_public_key());
  CHECK(curve_key_of(identity.public_key()) == identity.curve_public_key());
}

TEST_CASE("a key file is never overwritten, and a dangling link in its place is not followed") {
  const Folder folder;
  const std::string file = folder.write("node.key", "precious");
  const Status written = Identity::fresh().write_new(file);
  REQUIRE_FALSE(written.ok());
  CHECK(holds(written.error().message, "is there already; a key is never overwritten"));
  CHECK(folder.read("node.key") == "precious");
  std::filesystem::create_symlink(folder.at("elsewhere"), folder.at("link"));
  CHECK_FALSE(Identity::fresh().write_new(folder.at("link")).ok());
  CHECK_FALSE(std::filesystem::exists(folder.at("elsewhere")));
}

TEST_CASE("a key file that others may read is refused, and the error says what to do") {
  const Folder folder;
  REQUIRE(Identity::fresh().write_new(folder.at("node.key")).ok());
  for (const mode_t mode : {0640, 0604, 0610, 0660, 0666}) {
    REQUIRE(chmod(folder.at("node.key").c_str(), mode) == 0);
    const std::string error = read_error(folder.at("node.key"));
    CHECK(holds(error, folder.at("node.key") + ": has mode 06"));
    CHECK(holds(error, "expected 0600"));
    CHECK(holds(error, "chmod 600"));
  }
  REQUIRE(chmod(folder.at("node.key").c_str(), 0400) == 0);
  CHECK(Identity::read(folder.at("node.key")).ok());
}

TEST_CASE("what is no key file is refused") {
  const Folder folder;
  const auto refused = [&](const std::string& text) {
    const std::string file = folder.write("bad", text);
    chmod(file.c_str(), 0600);
    return read_error(file);
  };
  CHECK(holds(refused(""), "is no key file"));
  CHECK(holds(refused("ballast-key/1\n"), "is no key file"));
  CHECK(holds(refused("ballast-key/1\n" + std::string(44, '!') + "\n"), "is no key file"));
  CHECK(holds(refused("ballast-key/2\n" + std::string(43, 'A') + "=\n"), "is no key file"));
  CHECK(holds(refused(std::string(5000, 'A')), "has more than 1024 bytes"));
  CHECK(refused("ballast-key/1\n" + std::string(43, 'A') + "=\n") == "no error");
  CHECK(holds(read_error(folder.at("nothing")), "cannot open: No such file"));
  CHECK(holds(read_error(folder.at("")), "is not a regular file"));
  std::filesystem::create_symlink(folder.at("bad"), folder.at("link"));
  CHECK(holds(read_error(folder.at("link")), "is a symbolic link"));
  REQUIRE(mkfifo(folder.at("pipe").c_str(), 0600) == 0);
  CHECK(holds(read_error(folder.at("pipe")), "is not a regular file"));
}

TEST_CASE("a public key is its 44 characters and nothing else") {
  const IdentityKey key = Identity::fresh().public_key();
  const std::string text = text_of(key);
  CHECK(text.size() == 44);
  const Result<IdentityKey> parsed = parse_key(text);
  REQUIRE(parsed.ok());
  CHECK(*parsed == key);
  const std::string wrong[] = {
      "",
      text.substr(0, 43),
      text + "=",
      " " + text,
      text.substr(0, 43) + "\n",
      std::string(44, '!'),
      std::string(1'000'000, 'A'),
      std::string(43, 'A') + "=",                      // the point of order 1, open to all
      std::string(42, 'A') + "B=",                     // 32 bytes spelled in another way
      "//////////////////////////////////////////8=",  // no point of the curve
  };
  for (const std::string& one : wrong) CHECK_FALSE_MESSAGE(parse_key(one).ok(), one.substr(0, 60));
}

}  // namespace ballast::trust
