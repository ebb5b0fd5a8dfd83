/* The hold model of bench_queue.c on the schedulers of ns-3 (Debian: libns3-dev), used
 * directly, without its simulator around them: the same increments, the same lines.
 *
 *   g++ -O2 tests/bench/peer_ns3.cc -lns3-core -o peer_ns3 */
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

#include <ns3/calendar-scheduler.h>
#include <ns3/event-impl.h>
#include <ns3/heap-scheduler.h>
#include <ns3/list-scheduler.h>
#include <ns3/map-scheduler.h>
#include <ns3/priority-queue-scheduler.h>

namespace
{

constexpr double MEAN_NS = 1e7;
constexpr std::size_t INCREMENTS = 1 << 16;
constexpr int REPETITIONS = 9;
constexpr std::size_t OPERATIONS = 1000000;

std::vector<uint32_t> increments(INCREMENTS);

/* As in bench_queue.c, bit for bit. */
void drawIncrements()
{
    for (uint64_t i = 0; i < INCREMENTS; i++) {
        uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        x ^= x >> 31;
        const double uniform = static_cast<double>(x >> 11) * 0x1p-53;
        increments[i] = 1 + static_cast<uint32_t>(-std::log1p(-uniform) * MEAN_NS);
    }
}

struct Hold {
    ns3::Scheduler *scheduler;
    std::size_t position = 0;
    uint32_t uid = 0; /* ns-3 breaks ties by it. */

    void fill(std::size_t pending)
    {
        for (std::size_t i = 0; i < pending; i++) {
            ns3::Scheduler::Event event;
            event.impl = nullptr;
            event.key.m_ts = increments[position++ % INCREMENTS];
            event.key.m_uid = uid++;
            event.key.m_context = 0;
            scheduler->Insert(event);
        }
    }

    void run(std::size_t operations)
    {
        for (std::size_t i = 0; i < operations; i++) {
            ns3::Scheduler::Event event = scheduler->RemoveNext();
            event.key.m_ts += increments[position++ % INCREMENTS];
            event.key.m_uid = uid++;
            scheduler->Insert(event);
        }
    }
};

double nowS()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/* `operations` in a repetition: fewer where a scheduler is slow, so that the run ends. */
template <class S> void measure(const char *name, std::size_t pending, std::size_t operations)
{
    ns3::Ptr<S> scheduler = ns3::CreateObject<S>();
    Hold hold{ns3::PeekPointer(scheduler)};
    hold.fill(pending);
    hold.run(std::min(3 * pending, 3 * operations) + operations / 10);
    double mops[REPETITIONS];
    for (double &m : mops) {
        const double startS = nowS();
        hold.run(operations);
        m = static_cast<double>(operations) / (nowS() - startS) / 1e6;
    }
    std::sort(mops, mops + REPETITIONS);
    std::printf("%-24s %8zu pending %8.2f best %8.2f median Mop/s\n", name, pending,
                mops[REPETITIONS - 1], mops[REPETITIONS / 2]);
    std::fflush(stdout);
}

} // namespace

int main()
{
    drawIncrements();
    for (std::size_t pending = 10; pending <= 1000000; pending *= 10) {
        measure<ns3::MapScheduler>("ns3_map", pending, OPERATIONS);
        measure<ns3::HeapScheduler>("ns3_heap", pending, OPERATIONS);
        measure<ns3::PriorityQueueScheduler>("ns3_priority_queue", pending, OPERATIONS);
        if (pending <= 100000) { /* At 1e6 a repetition takes minutes. */
            measure<ns3::CalendarScheduler>("ns3_calendar", pending, OPERATIONS);
        }
        if (pending <= 1000) { /* Linear. */
            measure<ns3::ListScheduler>("ns3_list", pending, OPERATIONS / 10);
        }
    }
    return 0;
}
