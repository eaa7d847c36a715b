/* Places that meet at windows: the simulator's clock and order.
 *
 * A place is a region: its member and the client sites there.  Places share nothing mutable; what
 * crosses between two of them takes at least the lookahead, so inside one window (at most the
 * lookahead long) each place runs alone and neither their order nor the number of threads can
 * change the result.  What a place sends becomes visible to its receiver when the window ends.
 * World-wide things (a fault begins, an operator acts, a sample is taken) happen between windows:
 * the window is cut at that instant.  Cutting is invisible: nothing may read a window's boundary.
 *
 * Everything is ordered by (at_ns, rank, source, seq).  At one instant faults come first, then
 * operators, messages, clients, samples; sources are unique per actor, a source numbers its events
 * itself.
 *
 * Where the lookahead is below KERNEL_SERIAL_BELOW_NS, or when asked, the kernel runs serially: the
 * place with the least next key, one event at a time.  Same order, same digest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/ensure.h"
#include "sim/time.h"

#define KERNEL_PLACES_MAX      32
#define KERNEL_BODY_MAX        104 /* bytes of a posted body */
#define KERNEL_SERIAL_BELOW_NS (100 * SIM_US)

typedef struct Kernel Kernel;
typedef struct Place Place;

typedef enum {
    RANK_FAULT,
    RANK_OPERATOR,
    RANK_MESSAGE,
    RANK_CLIENT,
    RANK_SAMPLE,
} Rank;

/* Rank (3 bits), source (21 bits) and seq (40 bits) in one comparable word. */
typedef struct {
    SimTime at_ns;
    uint64_t order;
} EventKey;

static inline uint64_t event_order(Rank rank, uint32_t source, uint64_t seq)
{
    return ((uint64_t)rank << 61) | ((uint64_t)source << 40) | seq;
}

static inline bool event_key_before(EventKey a, EventKey b)
{
    return a.at_ns < b.at_ns || (a.at_ns == b.at_ns && a.order < b.order);
}

/* What runs when an event is due.  Handlers live as long as their actor; events only point to them.
 * body is the posted copy, borrowed for the call, or NULL for streams and controls. */
typedef struct Handler {
    void (*run)(void *actor, Place *place, void *body);
    void *actor;
} Handler;

typedef struct {
    uint32_t place_count;  /* 1 to KERNEL_PLACES_MAX */
    uint32_t thread_count; /* 0 and 1: the calling thread alone; more: places are shared out */
    bool serial;           /* always one event at a time, whatever the lookahead */
} KernelConfig;

Kernel *kernel_new(const KernelConfig *config);
void kernel_free(Kernel *kernel); /* NULL is fine */

/* What an ensure prints besides time and event number.  The texts are borrowed for the kernel's
 * life. While it runs the kernel keeps the calling thread's EnsureContext, and clears it when it
 * returns. */
void kernel_set_run(Kernel *kernel, const char *scenario, const char *variant, uint64_t seed);

Place *kernel_place(Kernel *kernel, uint32_t index);
uint32_t place_index(const Place *place);

/* Inside a handler or a control: its own time; between runs: where the run stopped.  Not to be
 * asked while something is published. */
SimTime place_now_ns(const Place *place);

/* Inside a control: its own time; between runs: where the run stopped.  A handler must not ask, nor
 * may anyone while something is published: the answer would depend on where the window was cut. */
SimTime kernel_now_ns(const Kernel *kernel);

/* Events of all places and controls so far, to be asked when the time may be. */
uint64_t kernel_event_count(const Kernel *kernel);

/* The least delay anything between two places can have from now on; 0 until set, so serial.  Call
 * between windows (set-up or a control); the caller must never send faster than it says. */
void kernel_set_lookahead(Kernel *kernel, SimTime lookahead_ns);

/* An event of `to`, sent by a handler of `from` (or by a control, then from == to).  Within one
 * place at_ns may be now; between places it is at least now + lookahead (serially: now).  At the
 * present instant the rank may be lower than the one that runs: it simply comes next.  The body is
 * copied, at most KERNEL_BODY_MAX bytes, aligned to 16; without a body (body_bytes 0) the handler
 * gets NULL. */
typedef struct {
    SimTime at_ns;
    Rank rank;
    uint32_t source;
    uint64_t seq; /* unique per (rank, source): two equal keys running in a row die by ensure */
    const Handler *handler;
    const void *body;
    uint32_t body_bytes;
} Post;

void place_post(Place *from, Place *to, const Post *post);

/* For place_post_room alone, which checks the parts of the key and the body's size: room for the
 * body, or NULL when there is none. */
void *place_post_keyed(Place *from, Place *to, EventKey key, const Handler *handler, bool has_body);

/* The same as place_post, but the body is filled in by the caller, at once and before posting
 * anything else: post->body is not read.  Building a body where it will lie saves the copy of one
 * that was just written, which is when a copy is slowest.  Here so that a caller that knows its
 * rank and its body's size does not check them. */
static inline void *place_post_room(Place *from, Place *to, const Post *post)
{
    ensure(post->rank <= RANK_SAMPLE);
    ensure(post->source < UINT32_C(1) << 21);
    ensure(post->seq < UINT64_C(1) << 40);
    ensure(post->body_bytes <= KERNEL_BODY_MAX);
    return place_post_keyed(
        from, to, (EventKey){post->at_ns, event_order(post->rank, post->source, post->seq)},
        post->handler, post->body_bytes > 0);
}

/* A stream is an ordered source of events that its place merges with its timers: a workload's
 * arrivals, an inbound link.  It has one next event; its handler runs that event and sets the next
 * (left alone: none).  Streams are added outside of windows. */
uint32_t place_add_stream(Place *place, Rank rank, uint32_t source, const Handler *handler);
void place_set_stream(Place *place, uint32_t stream, SimTime next_ns,
                      uint64_t seq); /* NEVER: none */

/* Called for `receiver` whenever what was sent in a window becomes visible (serially: after each
 * event in which some place called place_mark_sent; after each control that did).  Here an inbound
 * link takes over what its sender staged and sets its stream.  Called in the order of registration,
 * also when nothing was staged for this receiver.  Runs on the thread of no place in particular,
 * never beside a window. */
void kernel_on_publish(Kernel *kernel, void (*publish)(void *actor, Place *receiver), void *actor,
                       Place *receiver);
/* For observers that digest what they heard little by little: called after a window, a serial event
 * or a control in which something was sent; all events before before_ns have run.  The instants
 * depend on where windows are cut, so nothing an observer shows may depend on them, and nothing in
 * the world may change. */
void kernel_on_settled(Kernel *kernel, void (*settled)(void *actor, SimTime before_ns),
                       void *actor);
void place_mark_sent(Place *place); /* this place staged something outside place_post */

/* World-wide events, run between windows.  rank is RANK_FAULT, RANK_OPERATOR or RANK_SAMPLE.  A
 * control may add controls at its own time or later, post to any place (at_ns >= now), and touch
 * any state. */
typedef struct {
    SimTime at_ns;
    Rank rank;
    uint32_t source;
    uint64_t seq;
    const Handler *handler; /* place and body are NULL */
} Control;

void kernel_at(Kernel *kernel, const Control *control);

/* Runs everything at or before until_ns; may stop anywhere and go on.  SIM_TIME_NEVER: until
 * nothing is left, and the run then stands at the last event.  Returns false when kernel_stop was
 * called by a control: the run ends at that instant, for good (later calls return false). */
bool kernel_run_until(Kernel *kernel, SimTime until_ns);
void kernel_stop(Kernel *kernel);
