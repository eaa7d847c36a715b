/* Why it works: a place has two sources of events, its streams and its timers, and both know their
 * least key at all times, so the next event is one comparison away.  A stream's head changes only
 * when its handler sets it or when something is published; the least head is searched again only
 * when it was the one that went up.
 *
 * Bodies live in cells of their receiver, in chunks that never move, so a handler may hold its body
 * while it posts more.  What goes to another place is copied once, into a cell of the sender, and
 * that cell changes owner at the window's end; the receiver gives a free one of its own in
 * exchange, so that traffic in one direction does not drain one pool into the other.
 */
#include "sim/place.h"

#include <string.h>

#include <glib.h>

#define CHUNK_COUNT_FIRST 16u
#define CHUNK_COUNT_MAX   4096u
#define ARRAY_COUNT_FIRST 16u

_Static_assert(sizeof(BodyCell) == 112, "a posted body and its padding");

typedef struct PlaceStream {
    const Handler *handler;
    uint64_t order; /* with seq 0 */
    uint32_t position;
} PlaceStream;

static BodyCell *body_take(BodyPool *pool)
{
    BodyCell *cell = pool->free;

    if (!cell) {
        uint32_t count = pool->next_chunk_count;

        cell = arena_array(pool->arena, BodyCell, count);
        for (uint32_t i = 0; i + 1 < count; i++)
            cell[i].next_free = &cell[i + 1];
        pool->next_chunk_count = MIN(count * 2, CHUNK_COUNT_MAX);
    }
    pool->free = cell->next_free;
    return cell;
}

static inline void body_give(BodyPool *pool, BodyCell *cell)
{
    cell->next_free = pool->free;
    pool->free = cell;
}

void place_init(Place *place, uint32_t index, const KernelRules *rules)
{
    *place = (Place){
        .rules = rules,
        .index = index,
        .last = EVENT_KEY_NEVER,
        .stream_least = EVENT_KEY_NEVER,
        .bodies = {.arena = arena_new(), .next_chunk_count = CHUNK_COUNT_FIRST},
    };
    timers_init(&place->timers);
}

void place_clear(Place *place)
{
    timers_clear(&place->timers);
    arena_free(place->bodies.arena);
    g_free(place->departures);
    g_free(place->streams);
    g_free(place->stream_keys);
    g_free(place->stream_heads);
}

uint32_t place_index(const Place *place)
{
    return place->index;
}

/* While something is published the place's time is that of its last event, which depends on where
 * the window was cut; nobody may read it then. */
SimTime place_now_ns(const Place *place)
{
    ensure(place->rules->phase != PHASE_PUBLISH);
    return place->context.now_ns;
}

/* In a window only the running place may be touched, by its own handlers. */
static inline SimTime place_earliest_ns(const Place *place)
{
    if (place->is_running)
        return place->context.now_ns;
    ensure(place->rules->phase != PHASE_WINDOW);
    return place->rules->floor_ns;
}

void place_mark_sent(Place *place)
{
    (void)place_earliest_ns(place);
    place->has_sent = true;
}

static TimerEvent *departure_room(Place *from, Place *to)
{
    Departure *departure;

    if (from->departure_count == from->departure_capacity) {
        from->departure_capacity = MAX(ARRAY_COUNT_FIRST, from->departure_capacity * 2);
        from->departures = g_renew(Departure, from->departures, from->departure_capacity);
    }
    departure = &from->departures[from->departure_count++];
    departure->to = to;
    from->has_sent = true;
    return &departure->event;
}

void *place_post_room(Place *from, Place *to, const Post *post)
{
    SimTime earliest_ns = place_earliest_ns(from);
    bool is_crossing = from->is_running && from != to;
    Place *owner = from->is_running ? from : to;
    uint64_t order = event_order(post->rank, post->source, post->seq);
    TimerEvent *event;

    ensure(post->rank <= RANK_SAMPLE);
    ensure(post->source < UINT32_C(1) << 21);
    ensure(post->seq < UINT64_C(1) << 40);
    ensure(post->body_bytes <= KERNEL_BODY_MAX);
    ensure(post->at_ns < SIM_TIME_NEVER);
    ensure(post->at_ns >= earliest_ns);
    if (is_crossing) {
        /* Faster than the lookahead: the receiver may already be past it. */
        ensure(post->at_ns - earliest_ns >= from->rules->gap_ns);
        event = departure_room(from, to);
        event->at_ns = post->at_ns;
        event->order = order;
    } else {
        event = timers_push_room(&to->timers, post->at_ns, order);
    }
    event->handler = post->handler;
    event->body = post->body_bytes > 0 ? body_take(&owner->bodies) : NULL;
    return event->body;
}

void place_post(Place *from, Place *to, const Post *post)
{
    void *room = place_post_room(from, to, post);

    if (post->body_bytes > 0)
        memcpy(room, post->body, post->body_bytes);
}

/* The head of a stream in one word: its time and the position of the stream among those of its
 * place in the order of events, which decides between two of one instant.  Times beyond four years,
 * none at all, and streams beyond the first 64 are all HEAD_FAR: then the keys are asked. */
#define HEAD_FAR (UINT64_MAX - PLACE_PACKED_STREAMS)

static inline uint64_t stream_head(const Place *place, uint32_t stream, SimTime at_ns)
{
    uint64_t far_ns = HEAD_FAR >> PLACE_POSITION_BITS;

    if ((uint64_t)at_ns >= far_ns || place->stream_count > PLACE_PACKED_STREAMS)
        return HEAD_FAR;
    return (uint64_t)at_ns << PLACE_POSITION_BITS | place->streams[stream].position;
}

/* After a stream was added: all positions and heads anew. */
static void streams_number(Place *place)
{
    for (uint32_t i = 0; i < place->stream_count; i++) {
        uint32_t position = 0;

        for (uint32_t k = 0; k < place->stream_count; k++)
            position += place->streams[k].order < place->streams[i].order ||
                        (place->streams[k].order == place->streams[i].order && k < i);
        place->streams[i].position = position;
        if (position < PLACE_PACKED_STREAMS)
            place->stream_by_position[position] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < place->stream_count; i++)
        place->stream_heads[i] = stream_head(place, i, place->stream_keys[i].at_ns);
}

uint32_t place_add_stream(Place *place, Rank rank, uint32_t source, const Handler *handler)
{
    uint32_t index = place->stream_count++;

    (void)place_earliest_ns(place);
    ensure(rank <= RANK_SAMPLE);
    ensure(source < UINT32_C(1) << 21);
    if (index == place->stream_capacity) {
        place->stream_capacity = MAX(ARRAY_COUNT_FIRST, place->stream_capacity * 2);
        place->streams = g_renew(PlaceStream, place->streams, place->stream_capacity);
        place->stream_keys = g_renew(EventKey, place->stream_keys, place->stream_capacity);
        place->stream_heads = g_renew(uint64_t, place->stream_heads, place->stream_capacity);
    }
    place->streams[index] =
        (PlaceStream){.handler = handler, .order = event_order(rank, source, 0)};
    place->stream_keys[index] = EVENT_KEY_NEVER;
    streams_number(place);
    return index;
}

/* By the keys themselves: for times the heads cannot hold. */
static __attribute__((noinline)) void find_least_exactly(Place *place)
{
    const EventKey *keys = place->stream_keys;
    uint32_t index = 0;

    for (uint32_t i = 1; i < place->stream_count; i++)
        if (event_key_before(keys[i], keys[index]))
            index = i;
    place->stream_least = keys[index];
    place->stream_least_index = index;
}

/* Which stream is next is a toss-up, so nothing here is guessed: the least of a few words. */
static void find_least_stream(Place *place)
{
    const uint64_t *heads = place->stream_heads;
    uint64_t least = heads[0];
    uint32_t index;

    for (uint32_t i = 1; i < place->stream_count; i++)
        least = heads[i] < least ? heads[i] : least;
    if (__builtin_expect(least >= HEAD_FAR, 0)) {
        find_least_exactly(place);
        return;
    }
    index = place->stream_by_position[least % PLACE_PACKED_STREAMS];
    /* The key may be just written: read in the same pieces. */
    place->stream_least.at_ns = (SimTime)(least >> PLACE_POSITION_BITS);
    place->stream_least.order = place->stream_keys[index].order;
    place->stream_least_index = index;
}

void place_set_stream(Place *place, uint32_t stream, SimTime next_ns, uint64_t seq)
{
    EventKey key = EVENT_KEY_NEVER;

    ensure(stream < place->stream_count);
    ensure(seq < UINT64_C(1) << 40);
    ensure(next_ns >= place_earliest_ns(place));
    if (next_ns != SIM_TIME_NEVER)
        key = (EventKey){next_ns, place->streams[stream].order | seq};
    place->stream_keys[stream] = key;
    place->stream_heads[stream] = stream_head(place, stream, next_ns);
    if (event_key_before(key, place->stream_least)) {
        place->stream_least = key;
        place->stream_least_index = stream;
    } else if (stream == place->stream_least_index) {
        find_least_stream(place);
    }
}

static inline void place_begin_event(Place *place, EventKey key)
{
    /* Two events of one key have no order between them: their source has numbered one seq twice. */
    ensure(key.order != place->last.order || key.at_ns != place->last.at_ns);
    place->last = key;
    place->context.now_ns = key.at_ns;
    place->context.event_count++;
}

/* The handler usually sets its stream again, which searches for the least head anyway: the search
 * is left to it, and made here only where the spent head is still taken for the least. */
static void run_stream_event(Place *place)
{
    uint32_t index = place->stream_least_index;
    EventKey key = place->stream_least;
    const Handler *handler = place->streams[index].handler;

    place_begin_event(place, key);
    place->stream_keys[index] = EVENT_KEY_NEVER;
    place->stream_heads[index] = HEAD_FAR;
    handler->run(handler->actor, place, NULL);
    if (place->stream_least.at_ns == key.at_ns && place->stream_least.order == key.order)
        find_least_stream(place);
}

static void run_timer_event(Place *place)
{
    TimerEvent event = timers_pop(&place->timers);

    place_begin_event(place, (EventKey){event.at_ns, event.order});
    event.handler->run(event.handler->actor, place, event.body);
    if (event.body)
        body_give(&place->bodies, event.body);
}

/* Runs the next event if it is before limit. */
static inline bool place_step(Place *place, EventKey limit)
{
    EventKey timer = timers_peek(&place->timers);

    if (event_key_before(timer, place->stream_least)) {
        if (!event_key_before(timer, limit))
            return false;
        run_timer_event(place);
    } else {
        if (!event_key_before(place->stream_least, limit))
            return false;
        run_stream_event(place);
    }
    return true;
}

void place_run(Place *place, EventKey limit)
{
    place->is_running = true;
    while (place_step(place, limit))
        continue;
    place->is_running = false;
}

void place_run_until_sent(Place *place, EventKey limit)
{
    place->is_running = true;
    while (place_step(place, limit) && !place->has_sent)
        continue;
    place->is_running = false;
}

static void place_receive(Place *to, Place *from, const TimerEvent *event)
{
    ensure(event->at_ns >= to->rules->floor_ns);
    timers_push(&to->timers, event);
    if (event->body && to->bodies.free) {
        BodyCell *cell = body_take(&to->bodies);

        body_give(&from->bodies, cell);
    }
}

bool place_deliver(Place *place)
{
    bool has_sent = place->has_sent;

    for (uint32_t i = 0; i < place->departure_count; i++)
        place_receive(place->departures[i].to, place, &place->departures[i].event);
    place->departure_count = 0;
    place->has_sent = false;
    return has_sent;
}
