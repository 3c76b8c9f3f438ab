// The table of sessions, without sockets.
#include "sessions.h"

#include <doctest/doctest.h>

namespace ballast::zmq {

TEST_CASE("the table of sessions is bounded, and forgets who was silent longest") {
  Sessions sessions(3);
  const port::CurveKey key{};
  for (const char* name : {"a", "b", "c"}) {
    CHECK(sessions.note(NodeId(name), name, key, true) == Arrival::fresh);
  }
  CHECK(sessions.note(NodeId("a"), "a", key, false) == Arrival::known);
  CHECK(sessions.note(NodeId("d"), "d", key, false) == Arrival::fresh);
  CHECK(sessions.size() == 3);
  CHECK(sessions.find(NodeId("b")) == nullptr);
  CHECK(sessions.find(NodeId("a"))->id == "a");
}

TEST_CASE("a node that comes back on a third session has replaced both before") {
  Sessions sessions(3);
  const port::CurveKey key{};
  const NodeId node("n");
  CHECK(sessions.note(node, "1", key, true) == Arrival::fresh);
  CHECK(sessions.note(node, "2", key, false) == Arrival::replaced);
  CHECK(sessions.note(node, "1", key, false) == Arrival::doubled);
  CHECK(sessions.find(node)->id == "2");
  CHECK(sessions.note(node, "3", key, false) == Arrival::replaced);
  CHECK(sessions.note(node, "2", key, true) == Arrival::doubled_attach);
  CHECK(sessions.find(node)->id == "2");
}

}  // namespace ballast::zmq
