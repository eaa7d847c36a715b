/* What can be read off a member: its books, its lag, its digest.
 *
 * Why it works: every reading is a sum of a few counters that the writing paths keep exact, so
 * meters may ask as often as they like without changing or slowing the run.
 */
#include "models/geo/member_parts.h"

/* A peer whose news are older than this is not in sync, though its link may be up: heartbeats come
 * every second. */
#define IN_SYNC_NS (5 * SIM_S)

static const char *const cause_names[] = {
    [MEMORY_LIVE] = "live",
    [MEMORY_HEADERS] = "headers",
    [MEMORY_SIBLINGS] = "siblings",
    [MEMORY_HISTORY] = "history",
    [MEMORY_TOMBSTONES] = "tombstones",
    [MEMORY_BACKLOG] = "backlog",
    [MEMORY_SYNC] = "sync",
    [MEMORY_CLIENTS] = "clients",
};

const char *memory_cause_name(MemoryCause cause)
{
    return cause_names[cause];
}

int64_t member_backlog_unacked_bytes(const Member *member)
{
    return (int64_t)(effect_log_total_bytes(member->log) - member->acked_bytes_min);
}

/* Effects made since the state was taken wait behind it. */
static int64_t sync_bytes(const Member *member)
{
    uint64_t end = effect_log_total_bytes(member->log);
    int64_t bytes = 0;

    for (uint32_t id = 1; member->syncing != 0 && id <= MEMBER_MAX; id++)
        if (member->peers[id].sync_seq > 0)
            bytes += (int64_t)(end - member->peers[id].sync_bytes);
    return bytes;
}

int64_t member_memory_bytes(const Member *member, MemoryCause cause)
{
    switch (cause) {
    case MEMORY_LIVE:
        return memory_total(&member->memory).live;
    case MEMORY_HEADERS:
        return memory_total(&member->memory).headers;
    case MEMORY_SIBLINGS:
        return memory_total(&member->memory).siblings;
    case MEMORY_HISTORY:
        return member->books.bytes[HISTORY_RECORD];
    case MEMORY_TOMBSTONES:
        return member->books.bytes[HISTORY_TOMBSTONE];
    case MEMORY_BACKLOG:
        return MIN(member_backlog_unacked_bytes(member), (int64_t)member->config.backlog_bytes);
    case MEMORY_SYNC:
        return sync_bytes(member);
    case MEMORY_CLIENTS: /* Simplified: replies leave at once */
    case MEMORY_CAUSE_COUNT:
        break;
    }
    return 0;
}

/* The sum over all causes.  Asked before every write, so it visits each counter once. */
int64_t member_memory_used(const Member *member)
{
    int64_t unacked = member_backlog_unacked_bytes(member);
    int64_t used = memory_data_bytes(&member->memory) + sync_bytes(member);

    used += member->books.bytes[HISTORY_RECORD] + member->books.bytes[HISTORY_TOMBSTONE];
    return used + MIN(unacked, (int64_t)member->config.backlog_bytes);
}

double member_memory_overhead(const Member *member)
{
    return member->memory.overhead;
}

const HeaderSizes *member_header_sizes(const Member *member)
{
    return &member->memory.headers;
}

uint64_t member_memory_max(const Member *member)
{
    return member->config.memory_max_bytes;
}

int64_t member_record_count(const Member *member)
{
    return (int64_t)member->books.record_count;
}

bool member_refuses_writes(const Member *member)
{
    return member->refusing;
}

SimTime member_peer_known_ns(const Member *member, uint32_t peer_id)
{
    return member->peers[peer_id].known_ns;
}

SimTime member_lag_ns(const Member *member, SimTime now_ns)
{
    SimTime known_ns = now_ns;

    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].linked && member->peers[id].known_ns < known_ns)
            known_ns = member->peers[id].known_ns;
    return now_ns - known_ns;
}

int64_t member_unacked_count(const Member *member, uint32_t peer_id)
{
    return (int64_t)(effect_log_last_seq(member->log) -
                     member->peers[peer_id].known.seq[member->config.id]);
}

static bool peer_is_healthy(const Member *member, const Peer *peer, SimTime now_ns)
{
    if (!link_follows(peer->out) || !peer->hearing || peer->sync_seq > 0)
        return false;
    if (now_ns - peer->known_ns > IN_SYNC_NS)
        return false;
    return store_clock(member->store)->seq[peer->id] >= peer->resumed_seq;
}

bool member_is_healthy(const Member *member, SimTime now_ns)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].linked && !peer_is_healthy(member, &member->peers[id], now_ns))
            return false;
    return !member->crashed;
}

double member_take_utilisation(Member *member, SimTime now_ns)
{
    return shards_take_utilisation(member->shards, now_ns);
}

const Handler *member_request_handler(const Member *member)
{
    return &member->request_handler;
}

Place *member_place(const Member *member)
{
    return member->config.place;
}

uint32_t member_id(const Member *member)
{
    return member->config.id;
}

const char *member_name(const Member *member)
{
    return member->name;
}

bool member_is_reachable(const Member *member)
{
    return member->reachable;
}

bool member_is_crashed(const Member *member)
{
    return member->crashed;
}

uint64_t member_reach_epoch(const Member *member)
{
    return member->reach_epoch;
}

const Store *member_store(const Member *member)
{
    return member->store;
}

void member_digest(const Member *member, Digest *digest)
{
    const Clock *clock = store_clock(member->store);

    digest_combine(digest, member->digest);
    for (uint32_t origin = 1; origin <= MEMBER_MAX; origin++)
        digest_u64(digest, clock->seq[origin]);
    store_digest(member->store, digest);
}
