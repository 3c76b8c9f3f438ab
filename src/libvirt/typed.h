// libvirt's typed parameters: lists of names with values of many types, all of which are numbers
// to us.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::libvirt {

// A view of somebody else's list.
class Typed {
 public:
  Typed(const virTypedParameter* first, int count) : first_(first), count_(count) {}

  std::optional<double> number(std::string_view name) const;
  // Of all "PREFIX<number>SUFFIX", times `factor`; nothing when there is none.
  std::optional<double> sum(std::string_view prefix, std::string_view suffix, double factor) const;

 private:
  const virTypedParameter* first_;
  int count_;
};

// A list of our own, to be given to libvirt or filled by it.
struct TypedParams {
  virTypedParameterPtr first = nullptr;
  int count = 0;
  int room = 0;

  TypedParams() = default;
  TypedParams(const TypedParams&) = delete;
  TypedParams& operator=(const TypedParams&) = delete;
  ~TypedParams() { virTypedParamsFree(first, count); }

  void add(const char* name, const std::string& text) {
    virTypedParamsAddString(&first, &count, &room, name, text.c_str());
  }
  void add(const char* name, std::uint64_t number) {
    virTypedParamsAddULLong(&first, &count, &room, name, number);
  }
  std::optional<double> number(std::string_view name) const {
    return Typed(first, count).number(name);
  }
};

}  // namespace ballast::libvirt
