#pragma once
#include <string>

#include "error.hpp"

namespace jogak::tests {

// What jogak::Error the action throws; empty: none.
template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace jogak::tests
