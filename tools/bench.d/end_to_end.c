/* The end-to-end benchmark: a variant of five-members.json through the real libraries, with every
 * meter and observer on.
 *
 *     end_to_end FILE VARIANT SIMULATED_S [path=value]...
 *
 * prints {"ops_per_cpu_s": ...} of the seconds after a warm start, the CPU time until the world
 * stood ready, and what the process has allocated.  VARIANT "" is the base.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "models/world/world.h"
#include "sim/pages.h"
#include "tools/scenario_open.h"

#define WARM_NS (5 * SIM_S)

typedef struct {
    double load_s;  /* from text to scenario */
    double start_s; /* from scenario to a world that can run */
    double run_s;
    uint64_t op_count;
    uint64_t allocated_bytes;
} Figures;

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What the process holds, pages it has not touched yet included: a store lies in memory the kernel
 * fills in on first use, so resident memory would only tell how far a run has come. */
static uint64_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static bool measure(const Scenario *scenario, SimTime simulated_ns, Figures *out)
{
    WorldConfig config = {.scenario = scenario,
                          .seed = scenario_seed(scenario),
                          .slice = 1,
                          .until_ns = WARM_NS + simulated_ns};
    g_autoptr(GError) error = NULL;
    double begin_s = cpu_s();
    g_autoptr(World) world = world_new(&config, &error);

    if (world) {
        out->start_s = cpu_s() - begin_s;
        (void)world_run_until(world, WARM_NS);
        out->op_count = world_client_op_count(world);
        begin_s = cpu_s();
        (void)world_run_until(world, WARM_NS + simulated_ns);
        out->run_s = cpu_s() - begin_s;
        out->op_count = world_client_op_count(world) - out->op_count;
        out->allocated_bytes = allocated_bytes();
        world_finish(world);
    } else {
        fprintf(stderr, "end_to_end: %s\n", error->message);
    }
    return !error;
}

static int measure_file(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "tools/bench.d/five-members.json";
    const char *variant = argc > 2 ? argv[2] : "";
    double simulated_s = argc > 3 ? g_ascii_strtod(argv[3], NULL) : 10;
    g_autoptr(GError) error = NULL;
    Figures figures = {0};
    double begin_s = cpu_s();
    g_autoptr(ScenarioFile) file = scenario_open(path, argc > 4 ? argv + 4 : NULL, &error);
    const Scenario *scenario = file ? scenario_variant(file, variant) : NULL;

    figures.load_s = cpu_s() - begin_s;
    if (!scenario) {
        fprintf(stderr, "end_to_end: %s\n", error ? error->message : "there is no such variant");
        return 2;
    }
    if (!measure(scenario, (SimTime)(simulated_s * (double)SIM_S), &figures))
        return 2;
    printf("{\"program\": \"end_to_end\", \"variant\": \"%s\", \"ops\": %" PRIu64
           ", \"cpu_s\": %.4f, \"ops_per_cpu_s\": %.0f, \"simulated_s_per_cpu_s\": %.3f, "
           "\"load_s\": %.4f, \"start_s\": %.4f, \"allocated_bytes\": %" PRIu64 "}\n",
           variant, figures.op_count, figures.run_s, (double)figures.op_count / figures.run_s,
           simulated_s / figures.run_s, figures.load_s, figures.start_s, figures.allocated_bytes);
    return 0;
}

int main(int argc, char **argv)
{
    pages_begin(); /* as the program does */
    return measure_file(argc, argv);
}
