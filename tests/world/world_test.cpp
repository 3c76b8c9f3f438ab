#include "ballast/world/world.h"

#include <doctest/doctest.h>

namespace ballast {
namespace {
TEST_CASE("empty") {}
}  // namespace
}  // namespace ballast
