/* Acknowledged writes that are gone for good: data.lost_writes and anomalies A1 and A23.
 *
 * Overwritten (A1): a last-writer-wins write (LSET of a list's element too) whose successor in
 * timestamp order had not seen it (fit.md section 2); of JSON documents, one that a concurrent
 * write of a lower member id hides. The definition needs a global order, so each member's facts are
 * kept aside while its place runs and consumed between windows, merged by (time, member, seq);
 * where windows were cut cannot show. Memory is proportional to the writes that some member has not
 * observed yet, not to the keys.
 *
 * Unreplicated (A23): writes of a member that is unlinked before any survivor has seen them, and
 * all that it acknowledges afterwards until it is linked again.  Each client's command counts once,
 * however many effects it made; deletes by a deadline are nobody's write.
 *
 * The third cause of rehearsal.md 3.2, `discarded` at a rejoin (A24), has no instrument: nothing
 * rejoins in this version, and a zero that was never measured would pass for one that was.
 *
 * Simplified: a write of several fields counts once for each field lost; keys born during the run
 * are not looked at for A1 (their fields are bytes); a removal is not a writer, neither between two
 * writes nor of a list's element that is set elsewhere; a write whose reply the client never got
 * counts as acknowledged.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "models/geo/geo_facts.h"
#include "models/observe/recording.h"

typedef struct LostWrites LostWrites;

/* What concurrent writes to keys of a type overwrite.  A 0 of the second is measured, one of the
 * first is known beforehand, and of the third there is none: its families have no such instrument
 * and expressions on them are refused. */
typedef enum {
    OVERWRITES_NOTHING, /* all writes stay: adds, entries and increments merge */
    OVERWRITES_COUNTED,
    OVERWRITES_NOT_COUNTED,
} Overwrites;

/* Of a type (index in CRDT_TYPES; any other number: external, which is never simulated). */
Overwrites lost_writes_of_type(int type);

typedef struct {
    Recording *recording;
    const char *const *member_names; /* of member ids 1..member_count */
    uint32_t member_count;
    const char *const *family_names;
    const uint32_t *family_weights;      /* of the keys a slice has sampled; NULL: all 1 */
    const Overwrites *family_overwrites; /* NULL: all counted */
    uint32_t family_count;
} LostWritesConfig;

/* Copies what it needs and makes its instruments. */
LostWrites *lost_writes_new(const LostWritesConfig *config);
void lost_writes_free(LostWrites *lost);

/* What a member's facts are given to, inside its place: the actor of lost_writes_hear. */
void *lost_writes_ear(LostWrites *lost, uint32_t member_id);
void lost_writes_hear(void *ear, const GeoFact *fact);

/* Between windows: consumes the facts up to and including until_ns; every place must have come that
 * far. */
void lost_writes_merge(LostWrites *lost, SimTime until_ns);

/* Between windows, as often as one likes: everything before before_ns has happened.  May consume
 * facts ahead of the next merge, while they are still near at hand; changes no figure.  true: now
 * is a time to collect. */
bool lost_writes_advance(LostWrites *lost, SimTime before_ns);

/* Lets go of what no later write can lose.  known[i] is the observed clock of member i + 1.
 * Changes no result; call every second or so, after merging all there is. */
void lost_writes_collect(LostWrites *lost, const Clock *known);

/* member_id is being unlinked: its writes that none of survivors (bit per member index) knows are
 * lost, and so is what it writes from now on.  Returns how many, weighted.  Merge first. */
uint64_t lost_writes_unlink(LostWrites *lost, uint32_t member_id, const Clock *known,
                            uint32_t survivors);
void lost_writes_relink(LostWrites *lost, uint32_t member_id); /* merge first */

uint32_t lost_writes_kept_count(const LostWrites *lost); /* slots in use, for tests */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LostWrites, lost_writes_free)
