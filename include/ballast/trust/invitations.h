// The invitations that are open at this node, and the answer to one that wants to join. The file
// `invitations` in the state folder (mode 0600) holds their secrets, how often each may still be
// used, until when, and by whom it was used, so that nothing of that is forgotten by a restart:
//
//   ballast-invitations/1
//   open NUMBER SECRET UNTIL USES ROLE     until: seconds since 1970; uses left; role: lead, follow
//   used NUMBER KEY NODE                   who asks again gets the same answer
//
// Lines of an invitation go a day after it has ended, so that until then a late one is told why.
#pragma once

#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/fleet/book.h"
#include "ballast/trust/token.h"
#include "ballast/wire/fleet_messages.h"

namespace ballast::trust {

struct Invitation {
  std::uint64_t number = 0;
  Secret secret{};
  std::uint64_t until_s = 0;  // since 1970, by this host's clock
  std::uint32_t uses = 1;     // left
  bool may_lead = false;
  struct Used {
    IdentityKey key{};
    NodeId node;
    bool operator==(const Used&) const = default;
  };
  std::vector<Used> used;
  bool operator==(const Invitation&) const = default;
};

// Errors name file and line.
Result<std::vector<Invitation>> parse_invitations(std::string_view text, const std::string& name);
// None when there is no such file.
Result<std::vector<Invitation>> read_invitations(const std::string& file);

// Error when as many as may be are open already.
Status add_invitation(const std::string& file, const Invitation& invitation, std::uint64_t now_s);

// One that asks to be taken in. What the connection has proven is its key; all else is to be
// looked at.
struct Applicant {
  wire::JoinAsk ask;
  port::CurveKey shown{};  // on its connection
};
// What answering takes.
struct Registry {
  std::string file;  // of the invitations
  std::string cluster;
  IdentityKey inviter{};  // this node's
  const fleet::Book& book;
  const Identity* fleet_key;  // null: not on this host now
  std::uint64_t now_s = 0;
};
// The use is on disk before the answer is given. A refusal tells a stranger no more than it knows
// already: a wrong proof and an unknown number are one answer.
wire::JoinAnswer answer_to(const Applicant& applicant, const Registry& registry);

}  // namespace ballast::trust
