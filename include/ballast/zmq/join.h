// Asks a node to be taken into its fleet: one connection, pinned to its key, one question, one
// answer. For the command; a running node has its transport.
#pragma once

#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/port/trust.h"
#include "ballast/wire/messages.h"

namespace ballast::zmq {

struct JoinCall {
  std::vector<std::string> addresses;  // "A.B.C.D:PORT" of the inviter: tried in order
  port::CurveKey inviter{};            // the key to expect there
  port::CurveKey public_key{};         // ours
  port::CurveKey secret_key{};
  wire::Message question;
  Duration patience = std::chrono::seconds(10);  // at each address
};
struct JoinReply {
  wire::JoinAnswer answer;
  std::string address;  // where it was given
  std::string own;      // our own address on the way there: "A.B.C.D"
};
// The Error says for each address why it gave nothing. Blocks.
Result<JoinReply> ask_to_join(const JoinCall& call);

// The address of this host that packets to `address` ("A.B.C.D", nothing is sent there) leave from;
// empty when there is no way.
std::string own_address_towards(const std::string& address);

}  // namespace ballast::zmq
