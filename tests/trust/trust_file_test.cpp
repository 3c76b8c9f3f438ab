// The trust file: what it says, what it must not say, and changing it without losing a word.
#include "ballast/trust/trust_file.h"

#include <sys/stat.h>

#include "common/folder.h"

namespace ballast::trust {
namespace {

const IdentityKey key_a = Identity::fresh().public_key();
const IdentityKey key_b = Identity::fresh().public_key();
const std::string a = text_of(key_a);
const std::string b = text_of(key_b);

std::string error_of(const std::string& text) {
  const auto nodes = parse_trust(text, "trust");
  return nodes.ok() ? "no error" : nodes.error().message;
}

}  // namespace

TEST_CASE("ids, keys, roles and comments are read") {
  const auto nodes = parse_trust(
      "# rack 1\n\n  h1\t" + a + " master,slave \n \t\n#h3 x\nhost two " + b + " slave\r\n",
      "trust");
  REQUIRE_MESSAGE(nodes.ok(), nodes.error().message);
  const std::vector<TrustedNode> expected = {{NodeId("h1"), key_a, true},
                                             {NodeId("host two"), key_b, false}};
  CHECK(*nodes == expected);
  CHECK(parse_trust("", "trust").ok());
  CHECK(parse_trust("h1 " + a + " master", "trust")->front().master);
}

TEST_CASE("an error names file, line, what was found and what is expected") {
  IdentityKey mirrored = key_a;
  mirrored[31] ^= 0x80;  // the other sign: another identity, the same CURVE key
  const struct {
    std::string text;
    std::string expected;
  } cases[] = {
      {"h1 " + a + " king\n", "trust:1: roles: found 'king', expected slave or master,slave"},
      {"# x\nh1 " + a + "\n", "trust:2: roles: found '" + a + "'"},
      {"h1\n", "trust:1: roles: found 'h1'"},
      {"h1 nokey slave\n", "trust:1: key: found 'nokey', expected the 44 characters"},
      {a + " slave\n", "trust:1: id: found '', expected 1 to 128 bytes"},
      {std::string(129, 'x') + " " + a + " slave", "(129 bytes), expected 1 to 128"},
      {std::string("h\x01 ") + a + " slave", "trust:1: id: found 'h?'"},
      {"h\xFF " + a + " slave", "trust:1: id: found 'h?'"},
      {"h1 " + a + " slave\nh1 " + b + " slave\n",
       "trust:2: found 'h1' again, first on line 1, expected each id once"},
      {"h1 " + a + " slave\n\nh2 " + a + " master\n",
       "trust:3: found the key of line 1 under a second id 'h2', expected each key once"},
      {"h1 " + a + " slave\nh2 " + text_of(mirrored) + " slave\n",
       "trust:2: found the key of line 1 under a second id 'h2'"},
      {std::string(3'000'000, 'x'), "trust:1: roles: found 'xxx"},
      {std::string(100, '\0'), "trust:1: roles: found '???"},
  };
  for (const auto& one : cases) {
    const std::string found = error_of(one.text);
    CHECK_MESSAGE(holds(found, one.expected), found, " should hold: ", one.expected);
    CHECK(found.size() < 400);
  }
}

TEST_CASE("adding makes the file, keeps comments, and changes roles in place of a second line") {
  const Folder folder;
  const std::string file = folder.at("trust");
  REQUIRE(add_node(file, {NodeId("h1"), key_a, false}).ok());
  CHECK(folder.read("trust") == "h1 " + a + " slave\n");
  folder.write("trust", "# mine\n" + folder.read("trust") + "# end");
  REQUIRE(add_node(file, {NodeId("h1"), key_a, true}).ok());
  CHECK(folder.read("trust") == "# mine\n# end\nh1 " + a + " master,slave\n");
  REQUIRE(add_node(file, {NodeId("h2"), key_b, false}).ok());
  CHECK(read_trust(file)->size() == 2);
  const std::string before = folder.read("trust");
  REQUIRE(add_node(file, {NodeId("h2"), key_b, false}).ok());
  CHECK(folder.read("trust") == before);
}

TEST_CASE("an id with another key and a key under another id are refused, and nothing is written") {
  const Folder folder;
  const std::string file = folder.at("trust");
  REQUIRE(add_node(file, {NodeId("h1"), key_a, false}).ok());
  const std::string before = folder.read("trust");
  const Result<Added> other_key = add_node(file, {NodeId("h1"), key_b, false});
  REQUIRE_FALSE(other_key.ok());
  CHECK(holds(other_key.error().message, "'h1' has another key already; two hosts with one id?"));
  const Result<Added> other_id = add_node(file, {NodeId("h2"), key_a, false});
  REQUIRE_FALSE(other_id.ok());
  CHECK(holds(other_id.error().message, "this key belongs to 'h1' already"));
  for (const char* id : {"", " h3", "h3 ", "#h3", "h\n3"}) {
    CHECK_FALSE(add_node(file, {NodeId(id), key_b, false}).ok());
  }
  CHECK(folder.read("trust") == before);
}

TEST_CASE("revoking takes out one line, and says when there was none") {
  const Folder folder;
  const std::string file =
      folder.write("trust", "# one\nh1 " + a + " slave\n# two\nh2 " + b + " master,slave\n# end\n");
  const Result<bool> revoked = revoke_node(file, NodeId("h1"));
  REQUIRE(revoked.ok());
  CHECK(*revoked);
  CHECK(folder.read("trust") == "# one\n# two\nh2 " + b + " master,slave\n# end\n");
  CHECK_FALSE(*revoke_node(file, NodeId("h1")));
  CHECK_FALSE(revoke_node(folder.at("nothing"), NodeId("h1")).ok());
}

TEST_CASE("a file that others may write to is refused, and the error says what to do") {
  const Folder folder;
  const std::string file = folder.write("trust", "h1 " + a + " slave\n");
  for (const unsigned mode : {0664U, 0646U, 0622U}) {
    REQUIRE(chmod(file.c_str(), mode) == 0);
    const auto nodes = read_trust(file);
    REQUIRE_FALSE(nodes.ok());
    CHECK(holds(nodes.error().message, "others could write to it (chmod go-w " + file));
  }
  REQUIRE(chmod(file.c_str(), 0644) == 0);
  CHECK(read_trust(file).ok());
}

TEST_CASE("keys that are known already are not made again") {
  const IdentityKey key = parse_trust("h1 " + a + " slave", "trust")->front().key;
  const port::CurveKey known{1, 2, 3};
  CHECK(parse_trust("h1 " + a + " slave", "trust", {{key, known}})->front().curve == known);
  // Nor looked at: that costs as much. These bytes are no key, and are taken as they were.
  const IdentityKey no_key{2};
  CHECK_FALSE(parse_trust("h1 " + text_of(no_key) + " slave", "trust").ok());
  CHECK(parse_trust("h1 " + text_of(no_key) + " slave", "trust", {{no_key, known}}).ok());
}

TEST_CASE("a file that is broken is not rewritten, and a link to a file stays a link") {
  const Folder folder;
  folder.write("broken", "h1 " + a + " slave\nwhat is this\n");
  CHECK_FALSE(add_node(folder.at("broken"), {NodeId("h2"), key_b, false}).ok());
  CHECK_FALSE(revoke_node(folder.at("broken"), NodeId("h1")).ok());
  CHECK(folder.read("broken") == "h1 " + a + " slave\nwhat is this\n");
  folder.write("real", "");
  std::filesystem::create_symlink(folder.at("real"), folder.at("link"));
  REQUIRE(add_node(folder.at("link"), {NodeId("h2"), key_b, false}).ok());
  CHECK(std::filesystem::is_symlink(folder.at("link")));
  CHECK(folder.read("real") == "h2 " + b + " slave\n");
}

}  // namespace ballast::trust
