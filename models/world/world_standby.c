/* The loader is a stream of the member's place: the writes of one kept key after another, spaced by
 * the key's weight, so that a slice takes as long as the whole.  Most keys are one write; a list or
 * a stream is one for each element it starts with, which share the key's time.  The record may hold
 * more or fewer keys than the families declare; what is loaded is the declared keys, how long it
 * takes is the record's number over the rate.
 */
#include "models/world/world_standby.h"

#include <string.h>

#include "models/crdt/body.h"

struct WorldStandby {
    WorldStandbyConfig config;
    Place *place;
    uint32_t stream;
    Handler load, ignore;
    bool begun, noted;
    SimTime began_ns, done_ns; /* done_ns: when the last key of the record is in */
    uint32_t family;           /* the next key to load, */
    uint64_t kept_index;
    uint32_t write;    /* and which of its writes */
    uint64_t declared; /* keys of all families, whole */
    double passed;     /* of them, loaded so far */
    uint64_t seq;
};

static const CommandSpec *loading_command(const Family *family)
{
    const char *name = crdt_types[family->type]->load_command;

    return command_find(name, strlen(name));
}

static const Family *next_family(WorldStandby *standby)
{
    for (; standby->family < standby->config.family_count;
         standby->family++, standby->kept_index = 0) {
        const Family *family = standby->config.families[standby->family];

        if (family->type >= 0 && standby->kept_index < family->kept_count)
            return family;
    }
    return NULL;
}

static uint32_t writes_of_key(const Family *family)
{
    const BodyRule *body = crdt_types[family->type]->body;

    return body && body->fields == BODY_FIELDS_HELD ? family_start_elements(family) : 1;
}

/* What one of them writes: equal parts of the whole, as keys have them at the start. */
static uint32_t bytes_of_write(const WorldStandby *standby, const Family *family)
{
    uint32_t whole = family_value_bytes(family, standby->kept_index);
    uint32_t count = writes_of_key(family);

    return whole / count + (standby->write < whole % count);
}

/* Loads are spread evenly over the rebuild, whatever the record's number of keys. */
static SimTime due_ns(const WorldStandby *standby, const Family *next)
{
    double key = (double)standby->write * family_weight(next, standby->kept_index) /
                 (double)writes_of_key(next);
    double share = (standby->passed + key) / (double)standby->declared;

    return standby->began_ns + (SimTime)(share * (double)(standby->done_ns - standby->began_ns));
}

static void load_next(void *actor, Place *place, void *body)
{
    WorldStandby *standby = actor;
    const Family *family = next_family(standby);
    SimTime now_ns = place_now_ns(place);
    Request request;

    (void)body;
    if (!family)
        return;
    request = (Request){.spec = loading_command(family),
                        .reply_to = &standby->ignore,
                        .reply_place = place,
                        .key = family->base + standby->kept_index,
                        .token = family->salt,
                        .element_count = family_start_elements(family),
                        .value_bytes = bytes_of_write(standby, family),
                        .weight = family_weight(family, standby->kept_index),
                        .family = family->index};
    place_post(place, place,
               &(Post){.at_ns = now_ns,
                       .rank = RANK_MESSAGE,
                       .source = standby->config.source,
                       .seq = standby->seq++,
                       .handler = member_request_handler(standby->config.member),
                       .body = &request,
                       .body_bytes = sizeof request});
    if (++standby->write == writes_of_key(family)) {
        standby->passed += request.weight;
        standby->kept_index++;
        standby->write = 0;
    }
    family = next_family(standby);
    if (family)
        place_set_stream(place, standby->stream, MAX(now_ns, due_ns(standby, family)),
                         standby->seq);
}

static void ignore_reply(void *actor, Place *place, void *body)
{
    (void)actor;
    (void)place;
    (void)body;
}

WorldStandby *world_standby_new(const WorldStandbyConfig *config)
{
    WorldStandby *standby = g_new0(WorldStandby, 1);

    standby->config = *config;
    standby->place = member_place(config->member);
    standby->load = (Handler){load_next, standby};
    standby->ignore = (Handler){ignore_reply, standby};
    standby->stream = place_add_stream(standby->place, RANK_CLIENT, config->source, &standby->load);
    for (uint32_t i = 0; i < config->family_count; i++)
        if (config->families[i]->type >= 0)
            standby->declared += config->families[i]->key_count;
    return standby;
}

void world_standby_free(WorldStandby *standby)
{
    g_free(standby);
}

static bool clients_have_come(const WorldStandby *standby)
{
    const Levers *levers = standby->config.levers;

    for (uint32_t i = 0; i < levers->site_count; i++)
        for (uint32_t c = 0; c < site_client_count(levers->sites[i]); c++)
            if (site_client_endpoint(levers->sites[i], c) == (int32_t)standby->config.member_index)
                return true;
    return false;
}

static void note(const WorldStandby *standby, SimTime at_ns, const char *what)
{
    standby->config.log(standby->config.log_actor, at_ns, "member",
                        member_name(standby->config.member), what, "");
}

void world_standby_look(WorldStandby *standby, SimTime now_ns)
{
    if (!standby->begun && clients_have_come(standby)) {
        standby->begun = true;
        standby->began_ns = now_ns;
        standby->done_ns = now_ns + (SimTime)((double)standby->config.key_count /
                                              standby->config.keys_per_s * 1e9);
        note(standby, now_ns, "begins to rebuild");
        place_set_stream(standby->place, standby->stream, now_ns, standby->seq);
    }
    if (standby->begun && !standby->noted && now_ns >= standby->done_ns && !next_family(standby)) {
        standby->noted = true;
        note(standby, now_ns, "is rebuilt");
        instrument_sample(
            recording_instrument(standby->config.recording, "rebuild.time",
                                 &(Labels){.member = member_name(standby->config.member)}),
            now_ns - standby->began_ns, 1);
    }
}
