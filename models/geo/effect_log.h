/* A member's own effects in the order it made them, kept until nobody can ask for them again.
 *
 * The origin appends inside its own place; other places read what was published without locks. That
 * works because nothing a reader can see ever moves: effects live in fixed chunks, chunk pointers
 * in a two-level directory, and a chunk is used again only when nobody can ask for its effects any
 * more (drop) and no link is walking over them (release).
 *
 * The log also knows the wire bytes up to each effect, so that backlogs and positions are
 * subtractions.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "models/geo/effect_record.h"

typedef struct EffectLog EffectLog;

EffectLog *effect_log_new(void);
void effect_log_free(EffectLog *log);

/* Copies effect and its payload; its dot must be the next.  wire_bytes is what sending it once
 * weighs.  Its record stays where it is until effect_log_release has passed it. */
void effect_log_append(EffectLog *log, const Effect *effect, SimTime made_ns, uint64_t wire_bytes);

/* The owner's place only. */
uint64_t effect_log_last_seq(const EffectLog *log);    /* 0: empty so far */
uint64_t effect_log_total_bytes(const EffectLog *log); /* on the wire, of all ever appended */

/* Any place, for published seqs that were not released. */
const EffectRecord *effect_log_at(const EffectLog *log, uint64_t seq);
/* The effect with this dot of the log's member: made in room, or where it is kept. */
const Effect *effect_log_read(const EffectLog *log, Dot dot, Effect *room);
SimTime effect_log_made_ns(const EffectLog *log, uint64_t seq);

uint64_t effect_log_wire_bytes(const EffectLog *log, uint64_t seq);

/* Consecutive effects that lie side by side, at least one; the arrays go on for as many. */
typedef struct {
    const EffectRecord *records;
    const SimTime *made_ns;
    uint32_t count;
} EffectSpan;

/* From seq to the end of its chunk, whether that is written yet or not: the caller knows up to
 * where it was published. */
EffectSpan effect_log_span(const EffectLog *log, uint64_t seq);

/* Any place where the owner drops between windows alone: the oldest that may be read. */
uint64_t effect_log_first_kept(const EffectLog *log);

/* The owner's place only; seq must not be dropped, last + 1 is allowed for bytes_before. */
uint64_t effect_log_bytes_before(const EffectLog *log,
                                 uint64_t seq); /* of all effects with a smaller seq */
/* The oldest kept seq with at most `bytes` from it to the end; last + 1 when none fits. */
uint64_t effect_log_first_within(const EffectLog *log, uint64_t bytes);

/* Nobody will ask again for anything up to seq; a link may still be walking over it. */
void effect_log_drop(EffectLog *log, uint64_t seq);
/* No link walks over anything up to seq any more: of that, what was dropped makes room. */
void effect_log_release(EffectLog *log, uint64_t seq);
uint64_t effect_log_dropped_seq(const EffectLog *log); /* all up to it; 0: none */
uint64_t effect_log_kept_count(const EffectLog *log);  /* in chunks not dropped, for tests */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EffectLog, effect_log_free)
