/* What a monitor reads of each member every second: memory by cause, lag, backlog, load, health.
 *
 * Availability of a member is one probe a second, which succeeds while the member is reachable and
 * running, pooled with the client operations it was the last to answer.  The probe is sent at the
 * beginning of the second it counts for, so a fault that begins with a phase is seen in that phase.
 */
#pragma once

#include <glib.h>

#include "models/geo/link.h"
#include "models/geo/member.h"
#include "models/observe/lost_writes.h"
#include "models/observe/site_meter.h"

typedef struct MemberMeter MemberMeter;

typedef struct {
    Recording *recording;
    Member *const *members;
    const double *reserve_shares; /* by member index: client writes are refused above 1 - reserve */
    uint32_t member_count;
    Link *const *links; /* all of the group, for bytes.cross_region */
    uint32_t link_count;
    bool causal; /* what is passed on is counted apart: bytes.direct and bytes.relayed */
    SiteMeter *const *sites;
    uint32_t site_count;
} MemberMeterConfig;

/* Copies the arrays; what they point to must outlive it.  Sends the first probe: call at t=0. */
MemberMeter *member_meter_new(const MemberMeterConfig *config);
void member_meter_free(MemberMeter *meter);

/* Between windows, after the sites' ticks and before recording_tick. */
void member_meter_tick(MemberMeter *meter, SimTime now_ns);
/* Bytes that links carried since the last call; part of the tick, and needed before each
 * recording_boundary. */
void member_meter_flush(MemberMeter *meter);

/* Full syncs (GEO_FULL_SYNC_BEGIN and _END, others are ignored), between windows and in order of
 * time: their duration becomes sync.time of the member that received the state. */
void member_meter_hear(MemberMeter *meter, const GeoFact *fact);

/* Tells lost what all members have observed. */
void member_meter_collect(const MemberMeter *meter, LostWrites *lost);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MemberMeter, member_meter_free)
