/* Requests that wait at a member: the commands that block.
 *
 * Why it works: the store knows who waits for what and for how long by its wall clock; here is what
 * it cannot know, which request that is and when its client is gone.  A held request occupies no
 * shard; when it is served it takes a turn like one that has just come.  One timer stands for the
 * next thing that time alone brings: a timeout, or a connection that closes.
 *
 * A client that gives up closes its connection, and Redis drops the waiter when it hears of that:
 * as long after the request came as the client is patient, because the news travels as the request
 * did.  What is popped before is lost with the reply, as in life.  A member that crashes or cannot
 * be reached by clients any more loses its connections, and all who wait with them.
 *
 * Simplified: Redis learns only after its keepalive time (300 s by default) that a client behind a
 * broken network is gone; here at once.
 */
#include "models/geo/member_parts.h"

#include "models/data/waiter.h"

struct Held {
    Request request;
    Waiter *waiter;
    SimTime closes_ns; /* SIM_TIME_NEVER: not known */
    uint64_t seq;
    Held *before, *after;
};

static gint by_closing(gconstpointer a, gconstpointer b)
{
    const Held *one = a;
    const Held *two = b;

    if (one->closes_ns != two->closes_ns)
        return one->closes_ns < two->closes_ns ? -1 : 1;
    return one->seq < two->seq ? -1 : one->seq > two->seq;
}

static void held_add(Member *member, Held *held)
{
    HeldRequests *all = &member->held;

    held->seq = all->seq++;
    held->before = all->last;
    if (held->before)
        held->before->after = held;
    else
        all->first = held;
    all->last = held;
    if (held->closes_ns != SIM_TIME_NEVER)
        g_tree_insert(all->closing, held, held);
}

static void held_remove(Member *member, Held *held)
{
    HeldRequests *all = &member->held;

    if (held->closes_ns != SIM_TIME_NEVER)
        g_tree_remove(all->closing, held);
    if (held->before)
        held->before->after = held->after;
    else
        all->first = held->after;
    if (held->after)
        held->after->before = held->before;
    else
        all->last = held->before;
    g_free(held);
}

static void arm_for(Member *member, SimTime at_ns)
{
    HeldRequests *all = &member->held;

    if (at_ns >= all->armed_ns)
        return;
    all->armed_ns = at_ns;
    place_post(member->config.place, member->config.place,
               &(Post){.at_ns = at_ns,
                       .rank = RANK_MESSAGE,
                       .source = member->config.source + SOURCE_HELD,
                       .seq = ++all->post_seq,
                       .handler = &all->timer});
}

static void arm(Member *member, SimTime now_ns)
{
    GTreeNode *closing = g_tree_node_first(member->held.closing);
    WallTime at;

    if (closing)
        arm_for(member, MAX(((const Held *)g_tree_node_key(closing))->closes_ns, now_ns));
    if (store_next_timeout(member->store, &at))
        arm_for(member, MAX(member_time_of(member, at), now_ns));
}

bool held_execute(Member *member, const Request *request, const Command *command, Reply *out)
{
    Held *held = g_new(Held, 1);

    *held = (Held){.request = *request, .closes_ns = SIM_TIME_NEVER};
    held->waiter =
        store_execute_or_wait(member->store, command, member_wall(member, member->now_ns), NULL,
                              out, &(WaiterClient){.owner = held});
    if (!held->waiter) {
        g_free(held);
        return true;
    }
    if (request->patience_ns > 0)
        held->closes_ns = member->now_ns + request->patience_ns;
    held_add(member, held);
    arm(member, member->now_ns);
    return false;
}

static void answer(Member *member, Held *held, const Reply *reply)
{
    Response response = {.outcome = reply->kind == REPLY_ERROR ? OUTCOME_ERROR : OUTCOME_OK,
                         .dot = member->last_dot,
                         .reply_bytes = (uint32_t)MIN(reply->bytes, UINT32_MAX)};

    memory_touch(&member->memory, family_slot(member, held->request.family));
    member_complete(member, &held->request, &response);
    held_remove(member, held);
}

void held_serve_all(Member *member)
{
    WallTime now = member_wall(member, member->now_ns);
    Reply reply;
    Held *held;

    for (;;) {
        member_begin_command(member, 0, true);
        held = store_serve_next(member->store, now, &reply);
        member_end_command(member);
        if (!held)
            return;
        answer(member, held, &reply);
    }
}

void held_serve_soon(Member *member, SimTime now_ns)
{
    if (member->held.first)
        arm_for(member, now_ns);
}

static void close_due(Member *member)
{
    GTreeNode *node;

    while ((node = g_tree_node_first(member->held.closing)) != NULL) {
        Held *held = g_tree_node_key(node);

        if (held->closes_ns > member->now_ns)
            return;
        waiter_end(member->store, held->waiter);
        held_remove(member, held);
    }
}

static void time_out_due(Member *member)
{
    WallTime now = member_wall(member, member->now_ns);
    Reply reply;
    Held *held;

    member->last_dot = 0;
    while ((held = store_time_out_next(member->store, now, &reply)) != NULL)
        answer(member, held, &reply);
}

static void held_run(void *actor, Place *place, void *body)
{
    Member *member = actor;

    (void)body;
    member->now_ns = place_now_ns(place);
    if (member->now_ns < member->held.armed_ns)
        return; /* an earlier timer has taken its place */
    member->held.armed_ns = SIM_TIME_NEVER;
    close_due(member);
    held_serve_all(member);
    time_out_due(member);
    arm(member, member->now_ns);
}

void held_drop_all(Member *member)
{
    for (Held *held = member->held.first, *next; held; held = next) {
        next = held->after;
        waiter_end(member->store, held->waiter);
        held_remove(member, held);
    }
    member->held.armed_ns = SIM_TIME_NEVER;
}

void held_rearm(Member *member, SimTime now_ns)
{
    member->held.armed_ns = SIM_TIME_NEVER;
    arm(member, now_ns);
}

void held_init(Member *member)
{
    member->held.closing = g_tree_new(by_closing);
    member->held.armed_ns = SIM_TIME_NEVER;
    member->held.timer = (Handler){.run = held_run, .actor = member};
}

void held_clear(Member *member)
{
    held_drop_all(member);
    g_tree_unref(member->held.closing);
}
