#include "dram.hpp"

#include <bit>
#include <charconv>

#include "error.hpp"

namespace jogak::dram {

Dram::Dram(const Options& o)
    : options_(o), p_(*o.preset), clock_fs_(p_.clock_fs), access_bytes_(p_.access_bytes()) {
  if (options_.channels == 0) options_.channels = p_.channels;
  if (!std::has_single_bit(options_.channels)) throw Error("memory", "channels", std::to_string(options_.channels), "a power of two");
  if (!std::has_single_bit(options_.interleave) || options_.interleave < access_bytes_)
    throw Error("memory", "interleave", std::to_string(options_.interleave), "a power of two, at least the access of " + std::to_string(access_bytes_) + " bytes");
  if (options_.period_fs == 0) throw Error("memory", "clock", "a period of 0", "more");
  restart();
}

void Dram::restart() {
  channels_.clear();
  for (u32 i = 0; i < options_.channels; ++i) channels_.emplace_back(p_);
  done_.clear();
  begun_ = false;
}

u64 Dram::peak_bytes_per_second() const {
  return u64(options_.channels) * access_bytes_ * (u64(1'000'000'000'000'000) / (clock_fs_ * p_.burst));
}

// Where the bytes of a channel lie.
Channel::Access Dram::place(u64 local) const {
  Channel::Access a{};
  u64 n = local / access_bytes_;
  const auto take = [&](u32 of) { const u64 part = n % of; n /= of; return u32(part); };
  const u32 group = take(p_.groups);
  take(p_.row_bytes / access_bytes_);
  const u32 bank = take(p_.banks);
  a.rank = static_cast<std::uint16_t>(take(p_.ranks));
  a.row = take(p_.rows);
  a.group = static_cast<std::uint16_t>(a.rank * p_.groups + group);
  a.bank = static_cast<std::uint16_t>(a.group * p_.banks + bank);
  return a;
}

void Dram::access(u64 cycle, u64 addr, bool write, u64 id) {
  if (!begun_) origin_ = cycle, begun_ = true;
  const u64 stripe = addr / options_.interleave;
  Channel& channel = channels_[stripe % options_.channels];
  Channel::Access a = place(stripe / options_.channels * options_.interleave + addr % options_.interleave);
  a.id = id;
  a.arrival = tick_of(cycle);
  while (!channel.empty() && channel.next() < a.arrival) channel.issue(ends_);
  channel.push(a, write, ends_);
  tell();
}

u64 Dram::next() {
  u64 tick = Channel::kNever;
  for (Channel& c : channels_)
    if (!c.empty()) tick = std::min(tick, c.next());
  if (tick == Channel::kNever) return tick;
  return origin_ + tick * clock_fs_ / options_.period_fs + 1;
}

void Dram::advance(u64 cycle) {
  if (!begun_) return;
  const u64 end = tick_of(cycle);
  for (Channel& c : channels_)
    while (!c.empty() && c.next() < end) c.issue(ends_);
  tell();
}

void Dram::tell() {
  for (const Channel::End& e : ends_) {
    const u64 fs = e.tick * clock_fs_ + options_.controller_fs;
    done_.push_back({e.id, origin_ + (fs + options_.period_fs - 1) / options_.period_fs});
  }
  ends_.clear();
}

namespace {

u32 number(const std::string& text, const std::string& key) {
  u32 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) throw Error("memory", key, text, "a whole number above 0");
  return value;
}

void set(Options& o, const std::string& key, const std::string& text) {
  const u32 value = number(text, key);
  const bool known = key == "channels" || key == "controller" || key == "interleave";
  if (o.preset == nullptr && known) throw Error("memory", key, "it with an ideal memory", "none: it has a latency only");
  if (key == "channels") o.channels = value;
  else if (key == "mhz") o.period_fs = 1'000'000'000 / value;
  else if (key == "controller") o.controller_fs = u64(value) * 1'000'000;
  else if (key == "interleave") o.interleave = value;
  else throw Error("memory", "option", key, "channels, mhz, controller or interleave");
}

}  // namespace

Options parse_options(const std::string& text) {
  Options o;
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  if (name != "ideal") o.preset = &find_preset(name);
  if (colon == std::string::npos) return o;
  for (std::size_t at = colon + 1; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size()), equal = text.find('=', at);
    if (equal >= end) throw Error("memory", "option", text.substr(at, end - at), "KEY=VALUE");
    set(o, text.substr(at, equal - at), text.substr(equal + 1, end - equal - 1));
    at = end + 1;
  }
  return o;
}

MemoryFactory parse_memory(const std::string& text) {
  const Options o = parse_options(text);
  if (o.preset == nullptr) return {};
  (void)Dram(o);
  return [o]() -> std::unique_ptr<MemoryTiming> { return std::make_unique<Dram>(o); };
}

}  // namespace jogak::dram
