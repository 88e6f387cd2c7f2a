// Preloaded into programs on a simulated card: XRT's emulation library sleeps ten seconds for a simulator to start, which ours does
// in less. Only sleeps that this library asks for are cut; its socket waits for the card anyhow.
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace {

constexpr time_t kLongest = 1;                    // seconds; longer ones are cut to
constexpr timespec kInstead = {0, 100'000'000};

bool from_emulation(const void* caller) {
  Dl_info info;
  return dladdr(caller, &info) != 0 && info.dli_fname != nullptr && std::strstr(info.dli_fname, "libxrt_hwemu") != nullptr;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" unsigned sleep(unsigned seconds) {
  static const auto real = next<unsigned (*)(unsigned)>("sleep");
  if (seconds <= kLongest || !from_emulation(__builtin_return_address(0))) return real(seconds);
  nanosleep(&kInstead, nullptr);
  return 0;
}

extern "C" int nanosleep(const timespec* time, timespec* rest) {
  static const auto real = next<int (*)(const timespec*, timespec*)>("nanosleep");
  if (time == nullptr || time->tv_sec <= kLongest || !from_emulation(__builtin_return_address(0))) return real(time, rest);
  return real(&kInstead, nullptr);
}

extern "C" int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* rest) {
  static const auto real = next<int (*)(clockid_t, int, const timespec*, timespec*)>("clock_nanosleep");
  if (flags != 0 || time == nullptr || time->tv_sec <= kLongest || !from_emulation(__builtin_return_address(0))) return real(clock, flags, time, rest);
  return real(clock, 0, &kInstead, nullptr);
}
