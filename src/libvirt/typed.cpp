#include "typed.h"

#include <algorithm>

namespace ballast::libvirt {
namespace {

std::optional<double> value_of(const virTypedParameter& parameter) {
  switch (parameter.type) {
    case VIR_TYPED_PARAM_INT: return parameter.value.i;
    case VIR_TYPED_PARAM_UINT: return parameter.value.ui;
    case VIR_TYPED_PARAM_LLONG: return static_cast<double>(parameter.value.l);
    case VIR_TYPED_PARAM_ULLONG: return static_cast<double>(parameter.value.ul);
    case VIR_TYPED_PARAM_DOUBLE: return parameter.value.d;
    case VIR_TYPED_PARAM_BOOLEAN: return parameter.value.b;
    default: return std::nullopt;
  }
}

bool is_index(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<double> Typed::number(std::string_view name) const {
  for (int i = 0; i < count_; ++i) {
    if (name == first_[i].field) return value_of(first_[i]);
  }
  return std::nullopt;
}

std::optional<double> Typed::sum(std::string_view prefix, std::string_view suffix,
                                 double factor) const {
  std::optional<double> sum;
  for (int i = 0; i < count_; ++i) {
    std::string_view name = first_[i].field;
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    name.remove_prefix(prefix.size());
    if (name.size() < suffix.size()) continue;
    name.remove_suffix(suffix.size());
    const std::optional<double> value = value_of(first_[i]);
    if (is_index(name) && value) sum = sum.value_or(0) + *value * factor;
  }
  return sum;
}

}  // namespace ballast::libvirt
