// One fault each, put into a program that has none.
#pragma once

#include "shapes.hpp"

namespace jogak::fuzz {

// What a program shall end with. Where the opcode is halt, any instruction may be it.
struct FaultCell {
  spec::Fault fault;
  spec::Op op = spec::Op::halt;
};

inline constexpr FaultCell kFaultCells[] = {
    {spec::Fault::opcode},
    {spec::Fault::watchdog},
    {spec::Fault::reserved, spec::Op::halt},
    {spec::Fault::reserved, spec::Op::alu},
    {spec::Fault::reserved, spec::Op::alui},
    {spec::Fault::reserved, spec::Op::loop},
    {spec::Fault::reserved, spec::Op::lds},
    {spec::Fault::reserved, spec::Op::wait},
    {spec::Fault::reserved, spec::Op::signal},
    {spec::Fault::reserved, spec::Op::load},
    {spec::Fault::reserved, spec::Op::store},
    {spec::Fault::reserved, spec::Op::mm},
    {spec::Fault::reserved, spec::Op::vec},
    {spec::Fault::reserved, spec::Op::qnt},
    {spec::Fault::window, spec::Op::load},
    {spec::Fault::window, spec::Op::store},
    {spec::Fault::onchip, spec::Op::lds},
    {spec::Fault::onchip, spec::Op::load},
    {spec::Fault::onchip, spec::Op::store},
    {spec::Fault::onchip, spec::Op::mm},
    {spec::Fault::onchip, spec::Op::mm},
    {spec::Fault::onchip, spec::Op::vec},
    {spec::Fault::onchip, spec::Op::vec},
    {spec::Fault::onchip, spec::Op::qnt},
    {spec::Fault::align, spec::Op::load},
    {spec::Fault::align, spec::Op::load},
    {spec::Fault::align, spec::Op::store},
    {spec::Fault::align, spec::Op::store},
    {spec::Fault::align, spec::Op::mm},
    {spec::Fault::align, spec::Op::mm},
    {spec::Fault::align, spec::Op::vec},
    {spec::Fault::align, spec::Op::vec},
    {spec::Fault::align, spec::Op::qnt},
    {spec::Fault::shape, spec::Op::load},
    {spec::Fault::shape, spec::Op::store},
    {spec::Fault::shape, spec::Op::mm},
    {spec::Fault::shape, spec::Op::mm},
    {spec::Fault::shape, spec::Op::vec},
    {spec::Fault::shape, spec::Op::qnt},
    {spec::Fault::semaphore, spec::Op::wait},
    {spec::Fault::semaphore, spec::Op::signal},
    {spec::Fault::loop, spec::Op::loop},
    {spec::Fault::loop, spec::Op::loop},
    {spec::Fault::loop, spec::Op::halt},  // the program has no end
    {spec::Fault::index, spec::Op::load},
    {spec::Fault::index, spec::Op::load},
    {spec::Fault::bus, spec::Op::load},
    {spec::Fault::bus, spec::Op::store},
    {spec::Fault::bus, spec::Op::halt},  // while the program is loaded
};

// Writes lines that (nearly always) raise the fault when they are reached. False: not possible here.
// spare_semaphore: one that the program does not use. bus, index and watchdog are no lines of their own: see
// generate.cpp.
bool write_fault(const FaultCell& cell, Shapes& shapes, Writer& writer, Random& random, const spec::Config& config,
                 u8 spare_semaphore);

}  // namespace jogak::fuzz
