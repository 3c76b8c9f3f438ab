// "Did you mean ...": the known word that is nearest to a misspelt one.
#pragma once

#include <span>
#include <string_view>

namespace ballast::files {

// The nearest of `known` by edit distance (insert, delete, replace, swap neighbours each cost 1),
// or empty when even that one needs more than a third of the letters changed. Source: the optimal
// string alignment distance.
std::string_view nearest_to(std::string_view word, std::span<const std::string_view> known);

}  // namespace ballast::files
