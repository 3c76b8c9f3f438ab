// Which session a node speaks on. A node is its key, not its session: replies go where its last
// message came from. Plain values, no socket.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "ballast/base/ids.h"
#include "ballast/port/trust.h"

namespace ballast::zmq {

enum class Arrival : unsigned char {
  known,     // on the session it had
  fresh,     // its first
  replaced,  // on a new session: it came back
  // On a session that a newer one had replaced. An Attach takes over all the same ("the newer
  // Attach wins"); anything else is to be dropped. Either way two nodes may be using one identity.
  doubled_attach,
  doubled,
};

class Sessions {
 public:
  // At most `capacity` nodes: beyond, the one that was silent longest is forgotten.
  explicit Sessions(std::size_t capacity) : capacity_(capacity) {}

  struct Session {
    std::string id;        // ROUTER's name for it
    port::CurveKey key{};  // that it was opened with
  };

  Arrival note(const NodeId& node, std::string_view session, const port::CurveKey& key,
               bool is_attach);
  // The session to answer on; null when there is none.
  const Session* find(const NodeId& node) const;
  void forget(const NodeId& node) { nodes_.erase(node); }
  // This session has ended with its connection: nothing is answered on it any more.
  void ended(const NodeId& node, std::string_view session);
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Entry {
    Session current;
    std::string replaced;  // id of the one before; empty: none
    std::uint64_t last_heard = 0;
  };
  void make_room();

  std::size_t capacity_;
  std::uint64_t clock_ = 0;  // counts messages
  std::map<NodeId, Entry> nodes_;
};

}  // namespace ballast::zmq
