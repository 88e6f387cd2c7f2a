// Everything that only one HLS tool understands. A tool without these gets plain C++14.
#pragma once

#define JG_TEXT(x) #x
#define JG_STRING(x) JG_TEXT(x)
#define JG_JOIN_(a, b) a##b
#define JG_JOIN(a, b) JG_JOIN_(a, b)

// What only chiplets of a package have. The build says so, as the ports of the top are fixed before types are known; types.hpp checks it.
#ifdef JOGAK_HLS_LINKS
#define JG_LINKS 1
#define JG_IF_LINKS(...) __VA_ARGS__
#else
#define JG_LINKS 0
#define JG_IF_LINKS(...)
#endif

#if defined(__VITIS_HLS__) || defined(__SYNTHESIS__)
#include <ap_utils.h>
#include <hls_task.h>
#define JG_PRAGMA(x) _Pragma(JG_TEXT(x))
#define JG_PIPELINE(ii) JG_PRAGMA(HLS pipeline II = ii)
#define JG_UNROLL JG_PRAGMA(HLS unroll)
#define JG_INLINE JG_PRAGMA(HLS inline)
#define JG_PARTITION(array, axis) JG_PRAGMA(HLS array_partition variable = array type = complete dim = axis)
#define JG_INTERLEAVE(array, count) JG_PRAGMA(HLS array_partition variable = array type = cyclic factor = count dim = 1)
#define JG_RAM(array) JG_PRAGMA(HLS bind_storage variable = array type = ram_s2p impl = bram)
#define JG_NO_CARRY(array) JG_PRAGMA(HLS dependence variable = array type = inter false)
// State that a process keeps from call to call, a memory with `what` in it, an array of states; all 0 at first.
#define JG_STATE(type, name) static type name
#define JG_MEMORY(what, name) static what name
#define JG_STATES(type, name, count) static type name[count]
// Inside a dataflow region: a stream, an array of them, a free-running task, a process that ends, and the end of the region.
// Streams are shift registers: as memories the wide ones, few elements deep, would take most of a device's block RAMs (docs/hls.md).
#define JG_SHIFT_REGISTER(name) JG_PRAGMA(HLS bind_storage variable = name type = fifo impl = srl)
#define JG_STREAM(type, name, depth) hls_thread_local Fifo<type, depth> name; JG_SHIFT_REGISTER(name)
#define JG_STREAMS(type, name, count, depth) hls_thread_local Fifo<type, depth> name[count]; JG_SHIFT_REGISTER(name)
#define JG_NAMED_TASK(name, function, ...) hls_thread_local hls::task name(function, __VA_ARGS__)
#define JG_PROCESS(function, ...) function(__VA_ARGS__)
#define JG_REGION JG_PRAGMA(HLS dataflow)
#define JG_REGION_END
// Between a request and the read of its answer: a scheduler that sees no dependence may put both into one cycle, where neither goes on.
#define JG_THEN ap_wait()
// A cycle in which a polling process has done nothing.
#define JG_SPIN(stream)
// A cycle in which a busy process lets others have their turn, which takes C simulation only.
#define JG_TURN(stream)
// A cycle of the clock; who did not ask gets no answer.
#define JG_NEXT_CYCLE(cycle, ask) \
  ++cycle;                        \
  bool asked;                     \
  if (!ask.read_nb(asked)) return
// A word that the host may set during a job.
#define JG_FLAG const volatile unsigned*
#define JG_FLAG_SET(flag) ((*(flag) & 1) != 0)
#else
#include <atomic>

#define JG_PRAGMA(x)
#define JG_PIPELINE(ii)
#define JG_UNROLL
#define JG_INLINE
#define JG_PARTITION(array, axis)
#define JG_INTERLEAVE(array, count)
#define JG_RAM(array)
#define JG_NO_CARRY(array)
#define JG_STATE(type, name) \
  struct JG_JOIN(name, _of) {}; \
  type& name = csim::state<type, JG_JOIN(name, _of)>()
#define JG_MEMORY(what, name) what& name = csim::state<what, what>()
#define JG_STATES(type, name, count) \
  struct JG_JOIN(name, _of) {}; \
  type(&name)[count] = csim::state<type[count], JG_JOIN(name, _of)>()
#define JG_STREAM(type, name, depth) Fifo<type, depth> name(#name)
#define JG_STREAMS(type, name, count, depth) Fifo<type, depth> name[count]
#define JG_NAMED_TASK(name, function, ...) region.task(#name, [&] { function(__VA_ARGS__); })
#define JG_PROCESS(function, ...) region.process(#function, [&] { function(__VA_ARGS__); })
#define JG_REGION csim::Region region
#define JG_REGION_END region.run()
#define JG_NEXT_CYCLE(cycle, ask) \
  ask.read();                     \
  cycle = csim::time()
#define JG_THEN
#define JG_TURN(stream) csim::moved(), csim::wait(stream.channel(), "not ready")
#define JG_SPIN(stream) csim::wait(stream.channel(), "not ready")
#define JG_FLAG const std::atomic<bool>*
#define JG_FLAG_SET(flag) ((flag) != nullptr && (flag)->load(std::memory_order_relaxed))
#endif
#define JG_TASK(function, ...) JG_NAMED_TASK(JG_JOIN(function, _task), function, __VA_ARGS__)
