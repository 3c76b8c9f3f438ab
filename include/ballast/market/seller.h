// What the market knows of a master that may have room.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/model/resources.h"

namespace ballast::market {

struct Seller {
  NodeId master;
  std::string endpoint;
  std::uint64_t incarnation = 0;  // with `version`: which summary says so
  std::uint64_t version = 0;
  std::vector<Resources> holes;  // room on single hosts, largest first
  bool in_need = false;          // it has surplus of its own: it asks, too
};

// How well a VM of this load fits into the holes: for each that it fits into, the square of the
// share that it takes of it (of the resource that it takes most of), summed. 0: it fits into none.
double fit_of(const std::vector<Resources>& holes, const Resources& load);
// For each seller, whether it is ours to ask first. All that are in need share the sellers out
// among themselves by a hash that each computes alike, so that those who ask in the same moment ask
// different ones. Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates"
// (rendezvous hashing), 1998.
std::vector<bool> ours_first(const NodeId& self, const std::vector<Seller>& sellers);
// Rounded down to whole units, as room is told to others; never below 0.
Resources whole_units(const Resources& room);
bool fits(const Resources& hole, const Resources& load);

}  // namespace ballast::market
