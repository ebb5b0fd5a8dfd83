/* The rings of bench_messages.c on SimGrid's S4U mailboxes (Debian: libsimgrid-dev): an actor a
 * node, a mailbox an actor, and as many tokens in flight. It prints the same lines.
 *
 * Two of its network models: Constant, which solves no sharing of bandwidth (our links have none
 * here either) and is its fastest, and CM02, the flow model for which it is known. A send is put
 * into the mailbox and detached, so that no actor waits for its receiver. Arguments go to
 * SimGrid: peer_simgrid --cfg=contexts/factory:boost
 *
 *   g++ -O2 tests/bench/peer_simgrid.cpp -lsimgrid -o peer_simgrid */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <simgrid/s4u.hpp>

namespace sg4 = simgrid::s4u;

namespace
{

constexpr unsigned TOKENS = 2; /* That each node starts, as in bench_messages.c. */
constexpr unsigned long TOKEN_BYTES = 16;

struct Meter {
    unsigned long perRepetition; /* Messages. */
    size_t repetitions;
    unsigned long received = 0;
    double startS = 0;
    std::vector<double> mps;
    bool done = false;
};
Meter meter;
long payload; /* All tokens are alike; a pointer to it travels. */

/* Of cpu time, as in bench_messages.c: SimGrid runs all actors on one thread. */
double nowS()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/* The first repetition is not counted. */
void count()
{
    if (++meter.received % meter.perRepetition == 0) {
        const double now = nowS();
        if (meter.received > meter.perRepetition) {
            meter.mps.push_back(static_cast<double>(meter.perRepetition) / (now - meter.startS) /
                                1e6);
        }
        meter.done = meter.mps.size() == meter.repetitions;
        meter.startS = nowS();
    }
}

void node(sg4::Mailbox *own, sg4::Mailbox *next)
{
    for (unsigned i = 0; i < TOKENS; i++) {
        next->put_init(&payload, TOKEN_BYTES)->detach();
    }
    while (!meter.done) {
        own->get<long>();
        count();
        next->put_init(&payload, TOKEN_BYTES)->detach();
    }
    sg4::Actor::kill_all();
}

size_t residentKib()
{
    size_t total = 0;
    size_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

/* Hosts behind one switch: a link for each, and a route from each to each through it. */
std::vector<sg4::Host *> starOf(unsigned nodes)
{
    std::vector<sg4::Host *> hosts;
    sg4::NetZone *zone = sg4::create_star_zone("zone");
    for (unsigned i = 0; i < nodes; i++) {
        const std::string name = std::to_string(i);
        sg4::Host *host = zone->create_host(name, 1e9);
        const sg4::Link *link = zone->create_link("l" + name, 1e10)->set_latency(250e-6)->seal();
        zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                        {sg4::LinkInRoute(link)}, true);
        hosts.push_back(host);
    }
    zone->seal();
    return hosts;
}

/* Hosts without links, which the Constant model does not allow. */
std::vector<sg4::Host *> cloudOf(unsigned nodes)
{
    std::vector<sg4::Host *> hosts;
    sg4::NetZone *zone = sg4::create_empty_zone("zone");
    for (unsigned i = 0; i < nodes; i++) {
        hosts.push_back(zone->create_host(std::to_string(i), 1e9));
    }
    zone->seal();
    return hosts;
}

void run(bool constant, unsigned nodes, std::vector<char *> arguments)
{
    static char models[2][32] = {"--cfg=network/model:CM02", "--cfg=network/model:Constant"};
    arguments.push_back(models[constant]);
    int argc = static_cast<int>(arguments.size());
    sg4::Engine engine(&argc, arguments.data());
    const size_t before = residentKib();
    const std::vector<sg4::Host *> hosts = constant ? cloudOf(nodes) : starOf(nodes);
    for (unsigned i = 0; i < nodes; i++) {
        sg4::Actor::create("n", hosts[i], node, sg4::Mailbox::by_name(std::to_string(i)),
                           sg4::Mailbox::by_name(std::to_string((i + 1) % nodes)));
    }
    engine.run();
    std::sort(meter.mps.begin(), meter.mps.end());
    if (meter.mps.empty()) {
        std::exit(3);
    }
    const double median = meter.mps[meter.mps.size() / 2];
    std::printf("%-24s %6u nodes %8.3f best %8.3f median Mmessages/s %9.1f ns %9zu KiB\n",
                constant ? "simgrid, constant" : "simgrid, flows", nodes, meter.mps.back(), median, 1e3 / median, residentKib() - before);
    std::fflush(stdout);
}

/* An engine can be made once in a program: a process for each ring. */
bool measure(bool constant, unsigned nodes, const std::vector<char *> &arguments)
{
    const pid_t child = fork();
    if (child == 0) {
        /* Fewer where it is slow, so that the run ends; at least a hop of every token. */
        meter.perRepetition = nodes <= 100 ? 100000 : 20000;
        meter.repetitions = nodes <= 1000 ? 9 : 3;
        run(constant, nodes, arguments);
        std::_Exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

} // namespace

int main(int argc, char **argv)
{
    static char defaults[][64] = {"--log=root.thres:error", "--cfg=contexts/factory:raw",
                                  "--cfg=contexts/stack-size:16"};
    std::vector<char *> arguments{argv[0]};
    for (char *argument : defaults) {
        arguments.push_back(argument);
    }
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    for (const bool constant : {true, false}) {
        for (const unsigned nodes : {5u, 3u, 100u, 1000u, 10000u}) {
            if (nodes == 10000 && !constant) {
                continue; /* Minutes. */
            }
            if (!measure(constant, nodes, arguments)) {
                std::fprintf(stderr, "peer_simgrid: %u nodes failed\n", nodes);
                return 3;
            }
        }
    }
    return 0;
}
