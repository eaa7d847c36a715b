/* Pin: the home endpoint and no other, healthy or not.  The control group of every comparison. */
#include "models/routing/routing.h"

static int32_t pin_choose(void *state, const void *params, const ClientView *view, const OpView *op,
                          uint64_t u64)
{
    const EndpointView *home = &view->endpoints[view->home];

    (void)state, (void)params, (void)op, (void)u64;
    return home->usable && !home->barred ? (int32_t)view->home : -1;
}

const Selector selector_pin = {
    .head = {"pin", "the home endpoint only, healthy or not", NULL},
    .choose = pin_choose,
};
