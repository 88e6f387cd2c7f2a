// An encoder's plan as instructions. Argument 0 of a launch: rows, 1 .. context.
#pragma once
#include "../emit/emitter.hpp"
#include "plan.hpp"

namespace jogak::encoder {

emit::Emitter lower(const Plan& plan, const Head& head);

}  // namespace jogak::encoder
