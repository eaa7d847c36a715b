/* A workload: when operations arrive at a site, and what each of them is.
 *
 * Arrivals are a Poisson process (or evenly spaced) whose rate is the configured one times a daily
 * curve times the bursts in force.  What an operation is depends on its number alone, so neither
 * routing nor faults can change it.  Under a slice the stream carries the kept keys only, at their
 * own rates.
 */
#pragma once

#include <glib.h>

#include "models/clients/site.h"
#include "sim/rng.h"

typedef struct Workload Workload;

typedef struct {
    const WorkloadConfig *config;
    const char *site_name;
    uint64_t seed;
    uint32_t index; /* in its site */
    uint32_t client_count;
    SimTime day_start_ns;
} WorkloadSetup;

/* What all operations of one entry of the mix have in common; lives as long as the workload. */
typedef struct {
    const CommandSpec *spec; /* NULL: of an external family */
    uint16_t family;
    uint16_t op_index; /* in the family's ops */
} OpKind;

/* What an operation is about, and the words for the rest of it. */
typedef struct {
    uint64_t number; /* in its workload */
    RngRow draws;
    const struct MixEntry *entry;
    uint64_t key_word;
    uint64_t token; /* of its value; also the key of every later draw about it */
} OpPick;

/* One operation, drawn: all but what it sends. */
typedef struct {
    uint64_t seq; /* unique in its site: workload index << OP_NUMBER_BITS | number */
    uint64_t key;
    const OpKind *kind;
    uint32_t client;
    uint32_t weight;
} Operation;

#define OP_NUMBER_BITS 48

/* Which of its site's workloads an operation comes from. */
static inline uint32_t op_seq_workload(uint64_t seq)
{
    return (uint32_t)(seq >> OP_NUMBER_BITS);
}

/* Borrows what setup points to. */
Workload *workload_new(const WorkloadSetup *setup);
void workload_free(Workload *workload);

SimTime workload_next_ns(const Workload *workload);         /* SIM_TIME_NEVER: no more */
uint64_t workload_next_number(const Workload *workload);    /* its number, from 0 */
const OpPick *workload_next_pick(const Workload *workload); /* of the operation it brings */
void workload_advance(Workload *workload);                  /* to the arrival after the next */

/* Of an operation that has arrived or does so now, always the same. */
OpPick workload_pick(const Workload *workload, uint64_t seq);

/* A pick in full.  The second fills in what a request says of the operation but for key and weight:
 * spec, family, token, value, elements and times. */
void workload_draw(const Workload *workload, const OpPick *pick, Operation *out);
void workload_draw_request(const OpPick *pick, Request *out);

/* Between windows; now_ns is not after the next arrival. */
void workload_set_burst(Workload *workload, double factor, SimTime now_ns);

double workload_kept_share(const Workload *workload); /* of its operations */
double workload_rate_per_s(const Workload *workload,
                           SimTime at_ns); /* of the stream, kept share and all */
