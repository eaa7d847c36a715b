/* Priority: the first healthy endpoint of an ordered list, home first.
 *
 * This is what the failover clients of Jedis, redis-py, Lettuce and StackExchange.Redis do with
 * weights (routing.md section 3.1).
 */
#include "models/routing/routing.h"

static int32_t priority_choose(void *state, const void *params, const ClientView *view,
                               const OpView *op, uint64_t u64)
{
    int32_t best = -1;

    (void)state, (void)params, (void)op, (void)u64;
    for (uint32_t i = 0; i < view->endpoint_count; i++) {
        if (!endpoint_is_candidate(&view->endpoints[i]))
            continue;
        if (best < 0 || view->endpoints[i].priority < view->endpoints[best].priority)
            best = (int32_t)i;
    }
    return best;
}

const Selector selector_priority = {
    .head = {"priority", "the first healthy endpoint of the site's list, home first", NULL},
    .choose = priority_choose,
};
