/* What may be pulled between windows: the members, links and sites of one world, by name.
 *
 * Faults and operators get this and nothing else.  Borrowed; the world owns the actors.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/clients/site.h"
#include "models/geo/link.h"
#include "models/geo/member.h"

typedef struct {
    Member *const *members;
    uint32_t member_count;
    Link *const *links; /* both directions of every pair */
    uint32_t link_count;
    Site *const *sites;
    uint32_t site_count;
} Levers;

/* Names a scenario declares, for checks at load; NULL-terminated, index = member or site index. */
typedef struct {
    const char *const *members;
    const char *const *sites;
    const char *const *faults;
    const char *const *alerts;
    const char *const *links; /* "us~eu" as written, and every pair of members */
} NameScope;

/* Index in a NULL-terminated list, -1 when absent. */
int32_t name_index(const char *const *names, const char *name);

/* "asia" names a member: out is its index.  Else an error at `at` with the nearest match and the
 * list. */
bool scope_member(const NameScope *scope, const char *name, const JsonNode *at, uint32_t *out,
                  GError **error);

/* One direction or both: "us~eu" (both ways), "us>eu" (one way).  out_pairs gets (from, to)
 * indexes. */
typedef struct {
    uint32_t from, to;
} LinkPair;

bool scope_link(const NameScope *scope, const char *text, const JsonNode *at, LinkPair out[2],
                uint32_t *out_count, GError **error);

Link *levers_link(const Levers *levers, uint32_t from_index, uint32_t to_index); /* NULL: none */
