// One fault each, put into a program that has none.
#pragma once

#include "shapes.hpp"

namespace jogak::fuzz {

// Writes lines that (nearly always) raise the fault when they are reached. False: not possible here.
// spare_semaphore: one that the program does not use. bus, index and watchdog are no lines of their own: see generate.cpp.
bool write_fault(spec::Fault fault, Shapes& shapes, Writer& writer, Random& random, const spec::Config& config, u8 spare_semaphore);

}  // namespace jogak::fuzz
