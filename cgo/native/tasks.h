// Work that threads share as they have time.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace acd {

// Calls work(begin, end) for parts of 0 to count, whose sizes fall from largest to smallest, or
// less if there are few for each thread. Each thread takes the next part when it has finished
// one, so that the others do not wait for a processor core that is slower, or busy with something
// else. Every thread has its own work, with memory of its own: start() returns it.
template <class Start>
void in_turn(int64_t count, int64_t smallest, int64_t largest, const Start &start) {
  const int64_t threads = at::get_num_threads();
  const int64_t least = std::clamp<int64_t>(count / (4 * threads), 1, smallest);
  std::atomic<int64_t> next = 0;
  at::parallel_for(0, std::min(threads, count), 1, [&](int64_t, int64_t) {
    const auto work = start();
    for (int64_t begin = next; begin < count;) {
      const int64_t end = std::min(count, begin + std::clamp((count - begin) / (2 * threads), least, largest));
      if (next.compare_exchange_weak(begin, end)) {
        work(begin, end);
        begin = next;
      }
    }
  });
}

}  // namespace acd
