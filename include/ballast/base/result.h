// Result<T>: a value, or an Error that a tired person can act on. Operational errors are values;
// exceptions stay inside the adapters whose libraries throw them.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "ballast/base/assert.h"

namespace ballast {

// What went wrong, in one line: what, where (file, line or key), what was found, what is expected.
struct Error {
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // The value; asking for it when there is none is a bug of the caller.
  T& value() & {
    BALLAST_ASSERT(ok(), "value of a failed result");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    BALLAST_ASSERT(ok(), "value of a failed result");
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    BALLAST_ASSERT(ok(), "value of a failed result");
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  // The error; asking for it when there is none is a bug of the caller.
  const Error& error() const {
    BALLAST_ASSERT(!ok(), "error of a good result");
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Done, or an Error: Result for what has no value to give.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const {
    BALLAST_ASSERT(!ok_, "error of a good status");
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace ballast
