/* Partition: replication between two sets of members stops; clients still reach everybody.
 *
 * "us,eu|asia" cuts both ways, "us>asia" one way only.
 */
#include "models/faults/fault.h"

#include <string.h>

typedef struct {
    const char *cut;
} PartitionParams;

typedef struct {
    LinkPair pairs[2 * MEMBER_MAX * MEMBER_MAX];
    uint32_t count;
} Partition;

/* Adds the members of a comma-separated list to the set. */
static bool read_side(const char *text, const NameScope *scope, const JsonNode *at,
                      uint32_t *out_set, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);

    *out_set = 0;
    for (char **name = names; *name; name++) {
        uint32_t index;

        if (!scope_member(scope, *name, at, &index, error))
            return false;
        *out_set |= 1u << index;
    }
    return true;
}

static const void *partition_resolve(const void *params, const NameScope *scope, const JsonNode *at,
                                     Arena *arena, GError **error)
{
    const PartitionParams *p = params;
    Partition *state = arena_array(arena, Partition, 1);
    const char *mark = strpbrk(p->cut, "|>");
    g_autofree char *left_text = mark ? g_strndup(p->cut, (gsize)(mark - p->cut)) : NULL;
    uint32_t left, right;

    if (!mark || mark == p->cut || !mark[1]) {
        json_error(error, at,
                   "\"%s\" cuts nothing; write \"us,eu|asia\" for both ways or \"us>asia\" for one",
                   p->cut);
        return NULL;
    }
    if (strpbrk(mark + 1, "|>")) {
        json_error(error, at,
                   "\"%s\" cuts more than once; write one \"|\" or \">\", and a second fault for a "
                   "second cut",
                   p->cut);
        return NULL;
    }
    if (!read_side(left_text, scope, at, &left, error) ||
        !read_side(mark + 1, scope, at, &right, error))
        return NULL;
    if (left & right) {
        json_error(error, at, "\"%s\" has a member on both sides; each belongs to one", p->cut);
        return NULL;
    }
    for (uint32_t a = 0; a < MEMBER_MAX; a++)
        for (uint32_t b = 0; b < MEMBER_MAX; b++)
            if ((left >> a & 1) && (right >> b & 1)) {
                state->pairs[state->count++] = (LinkPair){a, b};
                if (*mark == '|')
                    state->pairs[state->count++] = (LinkPair){b, a};
            }
    return state;
}

static void partition_begin(const void *state, const Levers *levers, SimTime now_ns,
                            const FaultsInForce *all)
{
    const Partition *partition = state;

    (void)now_ns;
    (void)all;
    for (uint32_t i = 0; i < partition->count; i++) {
        Link *link = levers_link(levers, partition->pairs[i].from, partition->pairs[i].to);

        if (link)
            link_partition(link);
    }
}

static void partition_end(const void *state, const Levers *levers, SimTime now_ns,
                          const FaultsInForce *all)
{
    const Partition *partition = state;

    (void)now_ns;
    (void)all;
    for (uint32_t i = 0; i < partition->count; i++) {
        Link *link = levers_link(levers, partition->pairs[i].from, partition->pairs[i].to);

        if (link)
            link_heal(link);
    }
}

static const Param params[] = {
    {.name = "cut",
     .summary = "\"us,eu|asia\" both ways, \"us>asia\" one way",
     .kind = PARAM_TEXT,
     .positional = true,
     .required = true,
     .offset = offsetof(PartitionParams, cut)},
};
static const ParamTable table = {.name = "fault-partition",
                                 .params = params,
                                 .count = G_N_ELEMENTS(params),
                                 .struct_size = sizeof(PartitionParams),
                                 .node_offset = SIZE_MAX};

const FaultKind fault_partition = {
    .head = {"partition", "replication between two sets of members stops; clients still reach all",
             &table},
    .resolve = partition_resolve,
    .begin = partition_begin,
    .end = partition_end,
};
