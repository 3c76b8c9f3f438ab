#include "ballast/trust/invitations.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "ballast/base/limits.h"
#include "ballast/trust/fleet_key.h"
#include "base64.h"
#include "small_file.h"

namespace ballast::trust {
namespace {

using wire::FleetRecordPtr;
using wire::JoinAnswer;

constexpr std::string_view invitations_line = "ballast-invitations/1";
constexpr std::size_t invitations_bytes_max = 1U << 20U;
constexpr std::uint64_t remembered_s = 24 * 3600;

// Takes the first word off the text.
std::string_view take_first_word(std::string_view& text) {
  const std::size_t blank = text.find(' ');
  const std::string_view word = text.substr(0, blank);
  text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  return word;
}

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool take_open(std::vector<Invitation>& all, std::string_view rest) {
  Invitation one;
  const bool numbered = read_whole(take_first_word(rest), one.number);
  const auto secret = bytes_of_base64_text(take_first_word(rest));
  const bool timed = read_whole(take_first_word(rest), one.until_s);
  const bool counted = read_whole(take_first_word(rest), one.uses);
  if (!numbered || !timed || !counted || !secret || secret->size() != one.secret.size() ||
      one.uses > limits::invitation_uses_max || (rest != "lead" && rest != "follow") ||
      all.size() >= limits::invitations_max)
    return false;
  std::memcpy(one.secret.data(), secret->data(), one.secret.size());
  one.may_lead = rest == "lead";
  all.push_back(std::move(one));
  return true;
}

bool take_used(std::vector<Invitation>& all, std::string_view rest) {
  std::uint64_t number = 0;
  const bool numbered = read_whole(take_first_word(rest), number);
  const Result<IdentityKey> key = parse_key(take_first_word(rest));
  if (!numbered || !key || !is_valid_id(rest) || all.empty() || all.back().number != number ||
      all.back().used.size() >= limits::invitation_uses_max)
    return false;
  all.back().used.push_back({*key, NodeId(std::string(rest))});
  return true;
}

std::string text_of_all(const std::vector<Invitation>& all) {
  std::string text = std::string(invitations_line) + "\n";
  for (const Invitation& one : all) {
    const std::string number = std::to_string(one.number);
    text += "open " + number + " " +
            base64_of(std::string_view(reinterpret_cast<const char*>(one.secret.data()),
                                       one.secret.size())) +
            " " + std::to_string(one.until_s) + " " + std::to_string(one.uses) +
            (one.may_lead ? " lead\n" : " follow\n");
    for (const Invitation::Used& use : one.used)
      text += "used " + number + " " + trust::text_of(use.key) + " " + use.node.str() + "\n";
  }
  return text;
}

void drop_old(std::vector<Invitation>& all, std::uint64_t now_s) {
  std::erase_if(all, [&](const Invitation& one) { return now_s > one.until_s + remembered_s; });
}

JoinAnswer refusal(std::string why) {
  JoinAnswer answer;
  answer.refusal = std::move(why);
  return answer;
}

std::string minutes_since(std::uint64_t now_s, std::uint64_t then_s) {
  const std::uint64_t minutes = (now_s - then_s) / 60;
  return minutes < 120 ? std::to_string(minutes) + " min" : std::to_string(minutes / 60) + " h";
}

// Why not, of one whose proof is right; empty when nothing speaks against it.
std::string why_not_taken(const Applicant& applicant, const Registry& registry,
                          const Invitation& invitation) {
  const wire::JoinAsk& ask = applicant.ask;
  if (registry.now_s > invitation.until_s)
    return "the token has expired " + minutes_since(registry.now_s, invitation.until_s) +
           " ago by the inviter's clock: ask for a new one (`ballast invite`)";
  if (invitation.uses == 0)
    return "the token has been used already, by " +
           (invitation.used.empty() ? std::string("nobody")
                                    : quoted(invitation.used.back().node.str())) +
           ": ask for a new one (`ballast invite`, with --uses for several hosts)";
  const FleetRecordPtr known = registry.book.certificate_of(ask.node);
  if (known && known->identity != ask.identity)
    return "the fleet has a node " + quoted(ask.node.str()) +
           " with another key already: choose another id (`ballast join --id`), or, if this is "
           "that host with a new key, `ballast revoke " +
           ask.node.str() + "` first";
  for (const auto& [node, member] : registry.book.members()) {
    if (member.certificate && member.certificate->identity == ask.identity && node != ask.node)
      return "this key is in the fleet as " + quoted(node.str()) + " already";
  }
  return {};
}

}  // namespace

Result<std::vector<Invitation>> parse_invitations(std::string_view text, const std::string& name) {
  std::vector<Invitation> all;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (number == 1 && line == invitations_line) continue;
    const std::string_view word = number == 1 ? std::string_view() : take_first_word(line);
    const bool good =
        (word == "open" && take_open(all, line)) || (word == "used" && take_used(all, line));
    if (!good)
      return Error{name + ":" + std::to_string(number) + ": expected " +
                   (number == 1 ? quoted(invitations_line)
                                : std::string("'open NUMBER SECRET UNTIL USES lead|follow' or "
                                              "'used NUMBER KEY NODE'"))};
  }
  return all;
}

Result<std::vector<Invitation>> read_invitations(const std::string& file) {
  struct stat status {};
  if (lstat(file.c_str(), &status) != 0 && errno == ENOENT) return std::vector<Invitation>();
  const Result<std::string> text = read_small(file, invitations_bytes_max, true);
  if (!text) return text.error();
  return parse_invitations(*text, file);
}

Status add_invitation(const std::string& file, const Invitation& invitation, std::uint64_t now_s) {
  const Result<FileLock> lock = FileLock::take(file);
  if (!lock) return lock.error();
  Result<std::vector<Invitation>> all = read_invitations(file);
  if (!all) return all.error();
  drop_old(*all, now_s);
  // Those that are over make room first.
  if (all->size() >= limits::invitations_max)
    std::erase_if(*all, [&](const Invitation& one) { return now_s > one.until_s; });
  if (all->size() >= limits::invitations_max)
    return Error{file + ": " + std::to_string(limits::invitations_max) +
                 " invitations are open, expected fewer: wait until some have expired"};
  all->push_back(invitation);
  return replace_secret(file, text_of_all(*all));
}

JoinAnswer answer_to(const Applicant& applicant, const Registry& registry) {
  const wire::JoinAsk& ask = applicant.ask;
  // A key that is no point of the curve has no CURVE key, and would end the program.
  const Result<IdentityKey> key = parse_key(text_of(ask.identity));
  if (!key || curve_key_of(*key) != applicant.shown)
    return refusal("the key of this connection is not the one that is to be certified");
  const Result<FileLock> lock = FileLock::take(registry.file);
  if (!lock) return refusal("the inviter cannot read its invitations");
  Result<std::vector<Invitation>> all = read_invitations(registry.file);
  if (!all) return refusal("the inviter cannot read its invitations");
  const auto found = std::find_if(all->begin(), all->end(), [&](const Invitation& one) {
    return one.number == ask.invitation;
  });
  const Token token{registry.cluster,
                    {},
                    registry.inviter,
                    ask.invitation,
                    found == all->end() ? Secret{} : found->secret};
  if (found == all->end() || !are_equal(proof_of(token, ask.node, ask.identity), ask.proof))
    return refusal("the inviter does not know this token: it is of another host, or too old");
  const Invitation::Used use{ask.identity, ask.node};
  const bool again = std::find(found->used.begin(), found->used.end(), use) != found->used.end();
  FleetRecordPtr certificate = registry.book.certificate_of(ask.node);
  const bool has_it = certificate && certificate->identity == ask.identity &&
                      certificate->may_lead == found->may_lead;
  if (!again || !has_it) {
    // One that was revoked since does not come back by a token that it has used before.
    if (again && !certificate && registry.book.next_serial(ask.node) > 1)
      return refusal("this node was revoked after it had joined: ask for a new token");
    if (std::string why = why_not_taken(applicant, registry, *found); !why.empty() && !again)
      return refusal(std::move(why));
    if (registry.fleet_key == nullptr)
      return refusal(
          "the fleet's key is not on the inviter now: `ballast invite --fleet-key FILE` "
          "there, and take the new token");
    const Result<FleetRecordPtr> made =
        certify(*registry.fleet_key, registry.cluster, registry.book, ask.node, ask.identity,
                found->may_lead, registry.now_s);
    if (!made) return refusal(made.error().message);
    certificate = *made;
  }
  if (!again) {
    --found->uses;
    found->used.push_back(use);
    drop_old(*all, registry.now_s);
    if (const Status kept = replace_secret(registry.file, text_of_all(*all)); !kept)
      return refusal("the inviter cannot write its invitations");
  }
  JoinAnswer answer;
  answer.certificate = {certificate};
  answer.fleet_key = registry.book.fleet_key();
  answer.generation = registry.book.generation();
  answer.chain = registry.book.chain();
  answer.others = registry.book.records(limits::join_records_max);
  answer.clock_s = registry.now_s;
  return answer;
}

}  // namespace ballast::trust
