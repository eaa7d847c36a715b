/* What the clients of one site experienced: latency, errors, availability, failovers, duplicates.
 *
 * It hears its site's facts inside the site's place and allocates only when a combination of
 * member, family, operation and outcome appears for the first time.  Per operation it costs one
 * table look-up, one place in a histogram and one count; totals, errors and availability are
 * derived between windows.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "models/clients/op_fact.h"
#include "models/observe/recording.h"

typedef struct SiteMeter SiteMeter;

typedef struct {
    const char *name;
    uint32_t op_count;   /* OpFact.op_index is below */
    uint32_t weight_max; /* of the keys a slice has sampled, 0 and 1: none */
} MeterFamily;

typedef struct {
    Recording *recording;
    const char *site;
    uint32_t site_index;
    const char *const *members; /* by index */
    uint32_t member_count;
    const MeterFamily *families;
    uint32_t family_count;
    uint32_t client_count;
    SimTime flap_within_ns; /* going back sooner is a flap; 0: 2 min */
} SiteMeterConfig;

/* Copies config's texts; the recording must outlive it. */
SiteMeter *site_meter_new(const SiteMeterConfig *config);
void site_meter_free(SiteMeter *meter);
ClientListener site_meter_listener(SiteMeter *meter);

/* Between windows: brings what was counted into the recording.  Before each recording_boundary. */
void site_meter_flush(SiteMeter *meter);
/* Flush, and the availability of this second.  Before each recording_tick. */
void site_meter_tick(SiteMeter *meter);
/* Operations that a member was the last to answer (or not) in the second of the last tick. */
void site_meter_member_ops(const SiteMeter *meter, uint32_t member_index, double *out_ok,
                           double *out_done);
uint64_t site_meter_op_count(const SiteMeter *meter); /* heard so far, never in Redis included */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SiteMeter, site_meter_free)
