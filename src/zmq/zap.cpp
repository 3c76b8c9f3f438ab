#include "zap.h"

#include <arpa/inet.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "ballast/base/limits.h"
#include "options.h"

namespace ballast::zmq {
namespace {

constexpr const char* zap_endpoint = "inproc://zeromq.zap.01";
constexpr const char* zap_version = "1.0";
constexpr const char* key_property = "Ballast-Key";

// The request of RFC 27: version, request id, domain, address, routing id, mechanism, key.
enum Field : std::size_t {
  version,
  request_id,
  domain,
  address,
  routing_id,
  mechanism,
  key,
  count
};

std::vector<::zmq::message_t> receive_all(::zmq::socket_t& socket) {
  std::vector<::zmq::message_t> frames;
  do {
    frames.emplace_back();
    if (!socket.recv(frames.back(), ::zmq::recv_flags::dontwait)) return {};
  } while (frames.back().more());
  return frames;
}

std::string hex_of(const port::CurveKey& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += digits[byte >> 4U];
    out += digits[byte & 0x0FU];
  }
  return out;
}

std::optional<port::CurveKey> key_of_hex(std::string_view text) {
  port::CurveKey bytes{};
  if (text.size() != 2 * bytes.size()) return std::nullopt;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(16 * digit(text[2 * i]) + digit(text[2 * i + 1]));
  }
  return bytes;
}

// One property in the form of ZMTP: length and name, length and value.
std::string property(std::string_view name, std::string_view value) {
  std::string out(1, static_cast<char>(name.size()));
  out += name;
  out += std::string(3, '\0') + static_cast<char>(value.size());
  out += value;
  return out;
}

}  // namespace

ZapHandler::ZapHandler(::zmq::context_t& context, const port::Trust& trust)
    : trust_(trust), socket_(context, ::zmq::socket_type::rep) {
  socket_.set(::zmq::sockopt::linger, 0);
  socket_.bind(zap_endpoint);
}

ZapHandler::Served ZapHandler::serve(std::size_t count_max) {
  Served served;
  for (std::size_t i = 0; i < count_max; ++i) {
    std::vector<::zmq::message_t> request = receive_all(socket_);
    if (request.empty()) break;
    std::optional<NodeId> node;
    port::CurveKey shown{};
    if (request.size() == Field::count && request[mechanism].to_string_view() == "CURVE" &&
        request[key].size() == shown.size()) {
      std::memcpy(shown.data(), request[key].data(), shown.size());
      node = trust_.node_of(shown);
    }
    const bool is_feed =
        request.size() > domain && request[domain].to_string_view() == zap_domain_feed;
    // At the ROUTER of a fleet whose key certifies its nodes: see strangers.h.
    const bool may_show =
        !node && !is_feed && shown != port::CurveKey{} && trust_.takes_strangers();
    if (!node) {
      if (!may_show) ++served.strangers;
    } else if (is_feed && !trust_.may_be_master(*node)) {
      ++served.not_masters;
      node.reset();
    } else if (in_addr at{}; inet_pton(AF_INET, request[address].to_string().c_str(), &at) == 1) {
      (is_feed ? served.at_feed : served.at_router).push_back(ntohl(at.s_addr));
    }
    const bool welcome = node || may_show;
    const std::string id = request.size() > request_id ? request[request_id].to_string() : "";
    const std::string reply[] = {zap_version,
                                 id,
                                 welcome ? "200" : "400",
                                 welcome ? "OK" : "this key is not trusted here",
                                 node ? node->str() : "",
                                 welcome ? property(key_property, hex_of(shown)) : ""};
    for (std::size_t part = 0; part < std::size(reply); ++part) {
      const bool last = part + 1 == std::size(reply);
      socket_.send(::zmq::buffer(reply[part]),
                   last ? ::zmq::send_flags::dontwait
                        : ::zmq::send_flags::dontwait | ::zmq::send_flags::sndmore);
    }
  }
  return served;
}

std::optional<port::CurveKey> ZapHandler::key_of(::zmq::message_t& message) {
  const char* hex = zmq_msg_gets(message.handle(), key_property);
  return hex == nullptr ? std::nullopt : key_of_hex(hex);
}

std::optional<Proven> ZapHandler::proven_by(::zmq::message_t& message, const port::Trust& trust) {
  const std::optional<port::CurveKey> key = key_of(message);
  std::optional<NodeId> node = key ? trust.node_of(*key) : std::nullopt;
  if (!node) return std::nullopt;
  return Proven{*std::move(node), *key};
}

}  // namespace ballast::zmq
