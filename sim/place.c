/* Why it works: a place has two sources of events, its streams and its timers, and both know their
 * least key at all times, so the next event is one comparison away.  A stream's head changes only
 * when its handler sets it or when something is published.
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

static __attribute__((noinline)) void bodies_grow(BodyPool *pool)
{
    uint32_t count = pool->next_chunk_count;
    BodyCell *cells = arena_array(pool->arena, BodyCell, count);

    for (uint32_t i = 0; i + 1 < count; i++)
        cells[i].next_free = &cells[i + 1];
    pool->free = cells;
    pool->next_chunk_count = MIN(count * 2, CHUNK_COUNT_MAX);
}

static inline BodyCell *body_take(BodyPool *pool)
{
    BodyCell *cell;

    if (__builtin_expect(!pool->free, 0))
        bodies_grow(pool);
    cell = pool->free;
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
    g_free(place->stream_positions);
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

/* To another place: it gets there when the window ends. */
static __attribute__((noinline)) void depart(Place *from, Place *to, TimerEvent event)
{
    ensure(event.at_ns < SIM_TIME_NEVER);
    /* Faster than the lookahead: the receiver may already be past it. */
    ensure(event.at_ns - from->context.now_ns >= from->rules->gap_ns);
    if (from->departure_count == from->departure_capacity) {
        from->departure_capacity = MAX(ARRAY_COUNT_FIRST, from->departure_capacity * 2);
        from->departures = g_renew(Departure, from->departures, from->departure_capacity);
    }
    from->departures[from->departure_count++] = (Departure){to, event};
    from->has_sent = true;
}

void *place_post_keyed(Place *from, Place *to, EventKey key, const Handler *handler, bool has_body)
{
    Place *owner = from->is_running ? from : to;
    void *body = has_body ? body_take(&owner->bodies) : NULL;
    TimerEvent event = {key.at_ns, key.order, handler, body};

    ensure(key.at_ns >= place_earliest_ns(from));
    if (owner == to)
        timers_push(&to->timers, event);
    else
        depart(from, to, event);
    return body;
}

void place_post(Place *from, Place *to, const Post *post)
{
    void *room = place_post_room(from, to, post);

    if (post->body_bytes > 0)
        memcpy(room, post->body, post->body_bytes);
}

/* The head of a stream in one word: its time and the position of the stream among those of its
 * place in the order of events, which decides between two of one instant.  Times beyond nine years,
 * none at all, and those of more than 64 streams are all HEAD_FAR: then the keys are asked. */
#define HEAD_FAR    (UINT64_MAX - PLACE_PACKED_STREAMS)
#define HEAD_FAR_NS ((SimTime)(HEAD_FAR >> PLACE_POSITION_BITS))

/* By the keys themselves: for what the heads cannot hold. */
static __attribute__((noinline)) void find_least_exactly(Place *place)
{
    uint32_t least = 0;

    for (uint32_t i = 1; i < place->stream_count; i++)
        if (event_key_before(place->streams[i].next, place->streams[least].next))
            least = i;
    place->stream_least = place->streams[least].next;
    if (place->stream_least.at_ns == SIM_TIME_NEVER)
        place->stream_least = EVENT_KEY_NEVER;
    place->stream_least_position = least;
}

/* After one stream's next key has changed.  The heads are a tournament: those of the streams are
 * the later half of the array, and each before is the lesser of the two at twice its index, so what
 * has changed is on the way from there to the least, which is not kept.  Which stream is next is a
 * toss-up, so nothing on that way is guessed. */
static inline void stream_changed(Place *place, uint32_t position)
{
    uint64_t *heads = place->stream_heads;
    SimTime at_ns = place->streams[position].next.at_ns;
    uint64_t least = HEAD_FAR;

    if (at_ns < place->stream_far_ns)
        least = (uint64_t)at_ns << PLACE_POSITION_BITS | position;
    for (uint32_t i = place->stream_capacity + position; i > 1; i /= 2) {
        uint64_t other = heads[i ^ 1];

        heads[i] = least;
        least = other < least ? other : least;
    }
    if (__builtin_expect(least == HEAD_FAR, 0)) {
        find_least_exactly(place);
        return;
    }
    position = least % PLACE_PACKED_STREAMS;
    place->stream_least.at_ns = (SimTime)(least >> PLACE_POSITION_BITS);
    place->stream_least.order = place->streams[position].next.order;
    place->stream_least_position = position;
}

static void streams_grow(Place *place)
{
    place->stream_capacity = MAX(1, place->stream_capacity * 2);
    place->streams = g_renew(PlaceStream, place->streams, place->stream_capacity);
    place->stream_positions = g_renew(uint32_t, place->stream_positions, place->stream_capacity);
    place->stream_heads = g_renew(uint64_t, place->stream_heads, 2 * place->stream_capacity);
}

uint32_t place_add_stream(Place *place, Rank rank, uint32_t source, const Handler *handler)
{
    uint64_t order = event_order(rank, source, 0);
    uint32_t index = place->stream_count++;
    uint32_t position = index;

    ensure(place->rules->phase == PHASE_OUTSIDE);
    ensure(rank <= RANK_SAMPLE);
    ensure(source < UINT32_C(1) << 21);
    if (index == place->stream_capacity)
        streams_grow(place);
    for (; position > 0 && order < place->streams[position - 1].order; position--)
        place->streams[position] = place->streams[position - 1];
    for (uint32_t i = 0; i < index; i++)
        place->stream_positions[i] += place->stream_positions[i] >= position;
    place->stream_positions[index] = position;
    place->streams[position] =
        (PlaceStream){.next = EVENT_KEY_NEVER, .handler = handler, .order = order};
    place->stream_far_ns = place->stream_count <= PLACE_PACKED_STREAMS ? HEAD_FAR_NS : 0;
    for (uint32_t i = 0; i < 2 * place->stream_capacity; i++)
        place->stream_heads[i] = HEAD_FAR;
    for (uint32_t i = 0; i < place->stream_count; i++)
        stream_changed(place, i);
    return index;
}

void place_set_stream(Place *place, uint32_t stream, SimTime next_ns, uint64_t seq)
{
    uint32_t position;

    ensure(stream < place->stream_count);
    ensure(seq < UINT64_C(1) << 40);
    ensure(next_ns >= place_earliest_ns(place));
    position = place->stream_positions[stream];
    place->streams[position].next.at_ns = next_ns;
    place->streams[position].next.order = place->streams[position].order | seq;
    stream_changed(place, position);
}

static inline void place_begin_event(Place *place, EventKey key)
{
    /* Two events of one key have no order between them: their source has numbered one seq twice. */
    ensure(key.order != place->last.order || key.at_ns != place->last.at_ns);
    place->last = key;
    place->context.now_ns = key.at_ns;
    place->context.event_count++;
}

/* The handler usually sets its stream again, so the spent head stays in its place until then, and
 * is taken out here only where the handler left the stream alone. */
static inline void run_stream_event(Place *place)
{
    uint32_t position = place->stream_least_position;
    PlaceStream *stream = &place->streams[position];

    place_begin_event(place, place->stream_least);
    stream->next.at_ns = SIM_TIME_NEVER;
    stream->handler->run(stream->handler->actor, place, NULL);
    if (stream->next.at_ns == SIM_TIME_NEVER)
        stream_changed(place, position);
}

static inline void run_timer_event(Place *place)
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

void place_run(Place *place, EventKey limit, bool until_sent)
{
    place->is_running = true;
    while (place_step(place, limit))
        if (until_sent && place->has_sent)
            break;
    place->is_running = false;
}

static void place_receive(Place *to, Place *from, TimerEvent event)
{
    ensure(event.at_ns >= to->rules->floor_ns);
    timers_push(&to->timers, event);
    if (event.body && to->bodies.free) {
        BodyCell *cell = body_take(&to->bodies);

        body_give(&from->bodies, cell);
    }
}

bool place_deliver(Place *place)
{
    bool has_sent = place->has_sent;

    for (uint32_t i = 0; i < place->departure_count; i++)
        place_receive(place->departures[i].to, place, place->departures[i].event);
    place->departure_count = 0;
    place->has_sent = false;
    return has_sent;
}
