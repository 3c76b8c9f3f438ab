// What a peer may make us hand to libvirt.
#include "uri.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "ballast/base/random.h"

namespace ballast::libvirt {
namespace {

TEST_CASE("a migration address is one exact form, built anew from its parts") {
  const auto to = destination_of("qemu+tls://h2.example.org/system", Carrier::tls);
  REQUIRE(to);
  CHECK(to->connect_uri == "qemu+tls://h2.example.org/system");
  CHECK(to->data_uri == "tcp://h2.example.org");
  const auto port = destination_of("qemu+tcp://192.0.2.1:16509/system", Carrier::tcp);
  REQUIRE(port);
  CHECK(port->connect_uri == "qemu+tcp://192.0.2.1:16509/system");
  CHECK(port->data_uri == "tcp://192.0.2.1");
  const auto six = destination_of("qemu+tls://[2001:db8::1]:1/system", Carrier::tls);
  REQUIRE(six);
  CHECK(six->data_uri == "tcp://[2001:db8::1]");
}

TEST_CASE("what this adapter tells others passes their check") {
  for (const Carrier carrier : {Carrier::tls, Carrier::tcp}) {
    for (const char* address : {"h1", "10.0.0.1", "2001:db8::2", "a-b.c"}) {
      CAPTURE(address);
      CHECK(is_address(address));
      CHECK(destination_of(migration_uri_of(carrier, address), carrier));
    }
  }
}

TEST_CASE("an address that names anything else is refused") {
  for (const char* hostile : {"",
                              "qemu+tls://",
                              "qemu+tls:///system",
                              "qemu+tcp://h2/system",
                              "qemu+ssh://h2/system",
                              "qemu+ext://h2/system?command=/bin/sh",
                              "qemu+tls://h2/system?no_verify=1",
                              "qemu+tls://h2/system#x",
                              "qemu+tls://h2/session",
                              "qemu+tls://h2/x/system",
                              "qemu+tls://root@h2/system",
                              "qemu+tls://h2:0/system",
                              "qemu+tls://h2:65536/system",
                              "qemu+tls://h2:1:2/system",
                              "qemu+tls://h2:/system",
                              "qemu+tls://h2:+1/system",
                              "qemu+tls://-h2/system",
                              "qemu+tls://h2-/system",
                              "qemu+tls://.h2/system",
                              "qemu+tls://h..2/system",
                              "qemu+tls://h 2/system",
                              "qemu+tls://h%32/system",
                              "qemu+tls://[::1/system",
                              "qemu+tls://[::1]x/system",
                              "qemu+tls://[h2]/system",
                              "qemu+tls://::1/system",
                              "QEMU+TLS://h2/system",
                              " qemu+tls://h2/system",
                              "qemu+tls://h2/system ",
                              "qemu+tls://h2\n/system",
                              "qemu+tls://h2?x/system",
                              "qemu+tls://h2;x/system",
                              "qemu+tls://$(x)/system",
                              "qemu+tls/system",
                              "qemu+tls://system"}) {
    CAPTURE(hostile);
    CHECK_FALSE(destination_of(hostile, Carrier::tls));
  }
  CHECK_FALSE(destination_of("qemu+tls://h2/system", Carrier::tcp));
  CHECK_FALSE(destination_of("qemu+tls://" + std::string(300, 'a') + "/system", Carrier::tls));
  const std::string with_zero("qemu+tls://h\0x/system", 21);
  CHECK_FALSE(destination_of(with_zero, Carrier::tls));
}

TEST_CASE("whatever bytes a peer changes, what passes is plain") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    for (int round = 0; round < 2000; ++round) {
      std::string uri = "qemu+tls://host-1.example:16514/system";
      for (std::uint64_t n = random.below(4); n > 0; --n)
        uri[random.below(uri.size())] = static_cast<char>(random.below(256));
      const auto to = destination_of(uri, Carrier::tls);
      if (!to) continue;
      CHECK(to->connect_uri == uri);
      CHECK(uri.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "+:/.-") == std::string::npos);
      CHECK(to->data_uri.rfind("tcp://", 0) == 0);
    }
  }
}

TEST_CASE("the libvirt that a node drives is its own host's") {
  for (const char* good : {"qemu:///system", "qemu:///system?socket=/run/x", "qemu:///session"})
    CHECK(check_local(good));
  for (const char* bad : {"qemu://h2/system", "qemu+ssh://h2/system", "qemu+tcp:///system",
                          "system", "", "qemu:/system"})
    CHECK_FALSE(check_local(bad));
}

}  // namespace
}  // namespace ballast::libvirt
