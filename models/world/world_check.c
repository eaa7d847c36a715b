/* What must hold in every world, checked from two sides where it can be: nobody knows more of a
 * member than that member has done, books never go negative, and members that have heard everything
 * of each other agree.
 */
#include "models/world/world_private.h"
#include "sim/ensure.h"

static void check_knowledge(const World *world)
{
    for (uint32_t m = 0; m < world->member_count; m++) {
        const Clock *clock = store_clock(member_store(world->members[m]));

        for (uint32_t o = 0; o < world->member_count; o++) {
            const Clock *origin = store_clock(member_store(world->members[o]));

            ensure(clock->seq[o + 1] <= origin->seq[o + 1]); /* nobody hears what was not said */
        }
    }
}

static void check_books(const World *world)
{
    for (uint32_t m = 0; m < world->member_count; m++) {
        const Member *member = world->members[m];
        const Store *store = member_store(member);

        for (int cause = 0; cause < MEMORY_CAUSE_COUNT; cause++)
            ensure(member_memory_bytes(member, (MemoryCause)cause) >= 0);
        for (uint32_t f = 0; f <= world_families_count(world->families); f++) {
            const StoreLedger *ledger = store_ledger(store, f);

            ensure(ledger->key_count >= 0);
            ensure(ledger->value_bytes >= 0);
            ensure(ledger->sibling_count >= 0);
            ensure(ledger->header_count >= 0);
            ensure(ledger->deadline_count >= 0);
            ensure(ledger->deadline_count <= ledger->key_count);
            ensure(ledger_live_bytes(ledger) >= 0);
            /* No value without a key, no key without a name. */
            ensure((ledger_live_bytes(ledger) > 0) == (ledger->key_count > 0));
        }
    }
}

/* Same knowledge, same state: the convergence promise itself. */
static void check_agreement(const World *world)
{
    for (uint32_t m = 1; m < world->member_count; m++) {
        const Store *a = member_store(world->members[m - 1]), *b = member_store(world->members[m]);
        Digest digest_a = digest_begin(), digest_b = digest_begin();
        /* A cold standby begins empty: it owes nobody agreement. */
        bool same =
            member_has_peer(world->members[m - 1], m + 1) && member_has_peer(world->members[m], m);

        for (uint32_t o = 1; o <= world->member_count; o++)
            same &= store_clock(a)->seq[o] == store_clock(b)->seq[o];
        if (!same)
            continue;
        store_digest(a, &digest_a);
        store_digest(b, &digest_b);
        ensure(digest_a.value == digest_b.value);
    }
}

/* Nobody sends again what an unlinked member wrote, so those who unlinked it and still count each
 * other must have levelled it out.  Whom it cut off in turn could not take part. */
static void check_levelled(const World *world)
{
    for (uint32_t o = 1; o <= world->member_count; o++) {
        const Member *origin = world->members[o - 1];
        const Member *first = NULL;

        for (uint32_t m = 1; m <= world->member_count; m++) {
            const Member *member = world->members[m - 1];

            if (m == o || member_has_peer(member, o) || !member_has_peer(origin, m) ||
                member_is_crashed(member))
                continue;
            if (!first)
                first = member;
            else if (member_has_peer(first, m) && member_has_peer(member, member_id(first)))
                ensure(store_clock(member_store(first))->seq[o] ==
                       store_clock(member_store(member))->seq[o]);
        }
    }
}

void world_check(const World *world)
{
    check_knowledge(world);
    check_books(world);
    check_agreement(world);
    check_levelled(world);
}

bool world_has_converged(const World *world)
{
    for (uint32_t m = 0; m < world->member_count; m++)
        for (uint32_t o = 0; o < world->member_count; o++)
            if (store_clock(member_store(world->members[m]))->seq[o + 1] !=
                store_clock(member_store(world->members[o]))->seq[o + 1])
                return false;
    return true;
}
