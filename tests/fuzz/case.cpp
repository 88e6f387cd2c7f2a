#include "case.hpp"

#include <bit>
#include <cstring>

namespace jogak::fuzz {

namespace {

constexpr std::size_t kPatch = 512;  // bytes of one kind of data

u32 special(Random& random) {
  constexpr u32 values[] = {0,          0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7F800001, 1,
                            0x807FFFFF, 0x00800000, 0x80800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x3F800000, 0xBF800000};
  return random.pick(values);
}

// Floats near 1, some special, some of any size.
u32 tame_float(Random& random) {
  const u32 bits = random.word();
  const u32 kind = random.below(64);
  if (kind == 0) return special(random);
  if (kind < 4) return bits;
  return (bits & 0x807FFFFF) | ((120 + (bits >> 8) % 14) << 23);
}

using Filler = void (*)(Random&, std::span<u8>);

void put(std::span<u8> bytes, std::size_t at, u32 word) { std::memcpy(&bytes[at], &word, 4); }

void fill_noise(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) put(bytes, i, random.word());
}
void fill_floats(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) put(bytes, i, tame_float(random));
}
void fill_special(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) put(bytes, i, special(random));
}
void fill_bf16(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    put(bytes, i, tame_float(random) >> 16 | (tame_float(random) & 0xFFFF0000));
  }
}
// fp16 with exponents around the middle.
void fill_fp16(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    const u32 bits = random.word();
    put(bytes, i, (bits & 0x83FF83FF) | (0x2800 + (bits >> 5 & 0x1C00)) | (0x2C00 + (bits >> 20 & 0xC00)) << 16);
  }
}
void fill_exponents(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = u8(random.one_in(64) ? random.word() : 118 + random.below(16));
  }
}
// Multiples of a half that int8 can just hold: quantised without rounding, or to ties.
void fill_halves(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    const float half = float(int(random.below(509)) - 254) / 2;
    put(bytes, i, random.one_in(8) ? 0x42FE0000 : std::bit_cast<u32>(half));
  }
}
// Around the smallest scale that the quantiser keeps.
void fill_tiny(Random& random, std::span<u8> bytes) {
  const u32 exponent = 30 + random.below(8);
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    put(bytes, i, (random.word() & 0x807FFFFF) | (exponent - random.below(4)) << 23);
  }
}
// Mostly zeros.
void fill_sparse(Random& random, std::span<u8> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = u8(random.one_in(40) ? random.word() : 0);
}
void fill_ramp(Random& random, std::span<u8> bytes) {
  const u32 from = random.word();
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = u8(from + i);
}

void fill_span(Random& random, std::span<u8> bytes, std::initializer_list<Filler> fillers) {
  for (std::size_t at = 0; at < bytes.size(); at += kPatch) {
    (fillers.begin()[random.below(fillers.size())])(random, bytes.subspan(at, std::min(kPatch, bytes.size() - at)));
  }
}

}  // namespace

void fill(const Case& c, model::Memories& memories, std::span<u8> data) {
  Random random(c.seed ^ 0xDA7A);
  const auto on_chip = [&](spec::Space space, std::initializer_list<Filler> fillers) {
    fill_span(random, memories.bytes(space), fillers);
  };
  on_chip(spec::Space::wspm, {fill_noise, fill_noise, fill_sparse, fill_ramp});
  on_chip(spec::Space::wsc, {fill_bf16, fill_fp16, fill_exponents, fill_noise});
  on_chip(spec::Space::aspm, {fill_noise, fill_noise, fill_sparse, fill_ramp});
  on_chip(spec::Space::asc, {fill_bf16, fill_bf16, fill_bf16, fill_noise});
  on_chip(spec::Space::vmem, {fill_floats, fill_floats, fill_floats, fill_floats, fill_floats, fill_halves,
                              fill_special, fill_noise, fill_tiny});
  fill_span(random, data, {fill_floats, fill_floats, fill_bf16, fill_exponents, fill_noise, fill_ramp});
  for (const Patch& p : c.pool) memories.vmem[p.word] = p.value;
}

sim::LaunchSetup setup_of(const Case& c, u32 code_len) {
  sim::LaunchSetup setup{.code = kDramBase, .code_len = code_len, .args = c.args, .windows = c.windows};
  setup.watchdog = c.watchdog;
  return setup;
}

namespace {

struct Open {
  u32 pc;  // of the loop instruction
  u32 item;
  Item::End end;
};

// Wrong ends that name this loop's own.
struct Late {
  u32 pc;
  std::size_t depth;  // brackets open around it
  Item::End end;
};

void set_end(spec::Insn& insn, u32 end) {
  spec::Loop loop = spec::decode<spec::Loop>(insn);
  loop.end = u16(end);
  insn = spec::encode(loop);
}

}  // namespace

Code emit(const std::vector<Item>& items) {
  Code code;
  std::vector<Open> open;
  std::vector<Late> late;
  u32 last_end = ~0u;
  const auto add = [&](const spec::Insn& insn, u32 item) {
    code.insns.push_back(insn);
    code.item_of.push_back(item);
  };
  const spec::Insn nothing = spec::encode(spec::Alui{});
  for (u32 i = 0; i < items.size(); ++i) {
    const u32 pc = u32(code.insns.size());
    switch (items[i].kind) {
      case Item::Kind::loop:
        open.push_back({pc, i, items[i].end});
        add(items[i].insn, i);
        break;
      case Item::Kind::insn:
        add(items[i].insn, i);
        if (items[i].end != Item::End::as_is) late.push_back({pc, open.size(), items[i].end});
        break;
      case Item::Kind::end: {
        const Open loop = open.back();
        open.pop_back();
        if (pc == loop.pc + 1 || last_end + 1 == pc) add(nothing, i);
        last_end = u32(code.insns.size()) - 1;
        set_end(code.insns[loop.pc], last_end);
        for (Late& l : late) {
          if (l.depth == open.size() + 1 && l.pc > loop.pc && l.end == Item::End::enclosing)
            set_end(code.insns[l.pc], last_end);
        }
        break;
      }
    }
  }
  for (const Late& l : late) {
    if (l.end == Item::End::self) set_end(code.insns[l.pc], l.pc);
    const bool past = l.end == Item::End::past_code || (l.end == Item::End::enclosing && l.depth == 0);
    if (past) set_end(code.insns[l.pc], u32(code.insns.size()));
  }
  return code;
}

}  // namespace jogak::fuzz
