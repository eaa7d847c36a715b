/* Why it works: let s be the least key of all places.  Whatever they do from s on reaches another
 * place at s + lookahead or later, so the events before that instant are all known and each place
 * can run its own, alone, up to there.  The window's end is a key, not a time: a control of rank
 * fault at t cuts before the place events of t, a sample after them, and a window that ends by the
 * lookahead ends before everything of that instant, because a message may arrive at exactly it.  An
 * idle stretch costs nothing, since the next window starts at the next event.
 *
 * Serially the place with the least key runs until it would pass the second least one or sends
 * something; that is one event at a time in the total order, without a search between events of one
 * place.
 */
#include "sim/kernel.h"

#include <stdatomic.h>

#include <glib.h>

#include "sim/ensure.h"
#include "sim/kernel_threads.h"
#include "sim/place.h"
#include "sim/timers.h"

typedef struct {
    void (*publish)(void *actor, Place *receiver);
    void *actor;
    Place *receiver;
} PublishHook;

typedef struct {
    void (*settled)(void *actor, SimTime before_ns);
    void *actor;
} SettledHook;

struct Kernel {
    KernelRules rules;
    EnsureContext context; /* of controls; now_ns is where the run stands between windows */
    SimTime lookahead_ns;
    bool always_serial;
    bool is_stopped;
    uint64_t control_count;
    Timers controls;

    PublishHook *hooks;
    uint32_t hook_count;
    SettledHook settled; /* .settled NULL: nobody listens */

    EventKey limit;         /* of the window that runs */
    KernelThreads *threads; /* NULL: the calling thread alone */
    atomic_uint next_place; /* dealt to whichever thread is free */

    uint32_t place_count;
    Place places[];
};

static void run_dealt_places(void *actor)
{
    Kernel *kernel = actor;

    for (;;) {
        uint32_t index = atomic_fetch_add_explicit(&kernel->next_place, 1, memory_order_relaxed);

        if (index >= kernel->place_count)
            break;
        ensure_context_set(&kernel->places[index].context);
        place_run(&kernel->places[index], kernel->limit, false);
    }
    ensure_context_set(NULL);
}

Kernel *kernel_new(const KernelConfig *config)
{
    uint32_t thread_count = MIN(config->thread_count, config->place_count);
    Kernel *kernel;

    ensure(config->place_count >= 1);
    ensure(config->place_count <= KERNEL_PLACES_MAX);
    kernel = g_malloc0(sizeof(Kernel) + config->place_count * sizeof(Place));
    kernel->always_serial = config->serial;
    kernel->place_count = config->place_count;
    timers_init(&kernel->controls);
    for (uint32_t i = 0; i < kernel->place_count; i++)
        place_init(&kernel->places[i], i, &kernel->rules);
    if (thread_count > 1 && !config->serial)
        kernel->threads = kernel_threads_new(thread_count, run_dealt_places, kernel);
    return kernel;
}

void kernel_free(Kernel *kernel)
{
    if (!kernel)
        return;
    kernel_threads_free(kernel->threads);
    for (uint32_t i = 0; i < kernel->place_count; i++)
        place_clear(&kernel->places[i]);
    timers_clear(&kernel->controls);
    g_free(kernel->hooks);
    g_free(kernel);
}

void kernel_set_run(Kernel *kernel, const char *scenario, const char *variant, uint64_t seed)
{
    kernel->context.scenario = scenario;
    kernel->context.variant = variant;
    kernel->context.seed = seed;
    for (uint32_t i = 0; i < kernel->place_count; i++) {
        kernel->places[i].context.scenario = scenario;
        kernel->places[i].context.variant = variant;
        kernel->places[i].context.seed = seed;
    }
}

Place *kernel_place(Kernel *kernel, uint32_t index)
{
    ensure(index < kernel->place_count);
    return &kernel->places[index];
}

SimTime kernel_now_ns(const Kernel *kernel)
{
    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    return kernel->context.now_ns;
}

uint64_t kernel_event_count(const Kernel *kernel)
{
    uint64_t count = kernel->control_count;

    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    for (uint32_t i = 0; i < kernel->place_count; i++)
        count += kernel->places[i].context.event_count;
    return count;
}

static bool is_serial(const Kernel *kernel)
{
    return kernel->always_serial || kernel->lookahead_ns < KERNEL_SERIAL_BELOW_NS;
}

void kernel_set_lookahead(Kernel *kernel, SimTime lookahead_ns)
{
    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    ensure(lookahead_ns >= 0);
    kernel->lookahead_ns = lookahead_ns;
    kernel->rules.gap_ns = is_serial(kernel) ? 0 : lookahead_ns;
}

void kernel_on_publish(Kernel *kernel, void (*publish)(void *actor, Place *receiver), void *actor,
                       Place *receiver)
{
    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    kernel->hooks = g_renew(PublishHook, kernel->hooks, kernel->hook_count + 1);
    kernel->hooks[kernel->hook_count++] = (PublishHook){publish, actor, receiver};
}

void kernel_on_settled(Kernel *kernel, void (*settled)(void *actor, SimTime before_ns), void *actor)
{
    ensure(kernel->rules.phase == PHASE_OUTSIDE && !kernel->settled.settled);
    kernel->settled = (SettledHook){settled, actor};
}

void kernel_at(Kernel *kernel, const Control *control)
{
    TimerEvent event = {
        .at_ns = control->at_ns,
        .order = event_order(control->rank, control->source, control->seq),
        .handler = control->handler,
    };

    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    ensure(control->rank == RANK_FAULT || control->rank == RANK_OPERATOR ||
           control->rank == RANK_SAMPLE);
    ensure(control->source < UINT32_C(1) << 21);
    ensure(control->seq < UINT64_C(1) << 40);
    ensure(control->at_ns >= kernel->context.now_ns);
    timers_push(&kernel->controls, event);
}

void kernel_stop(Kernel *kernel)
{
    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    kernel->is_stopped = true;
}

/* Makes visible what was sent; nothing of it is due before floor_ns. */
static void publish(Kernel *kernel, SimTime floor_ns)
{
    bool has_sent = false;

    kernel->rules.phase = PHASE_PUBLISH;
    kernel->rules.floor_ns = floor_ns;
    kernel->context.now_ns = floor_ns;
    for (uint32_t i = 0; i < kernel->place_count; i++)
        has_sent |= place_deliver(&kernel->places[i]);
    for (uint32_t i = 0; has_sent && i < kernel->hook_count; i++)
        kernel->hooks[i].publish(kernel->hooks[i].actor, kernel->hooks[i].receiver);
    if (has_sent && kernel->settled.settled)
        kernel->settled.settled(kernel->settled.actor, floor_ns);
    kernel->rules.phase = PHASE_OUTSIDE;
}

/* Whoever acts from outside, a control or a caller between two runs, finds all places at its own
 * time. */
static void set_places_now(Kernel *kernel, SimTime now_ns)
{
    for (uint32_t i = 0; i < kernel->place_count; i++)
        kernel->places[i].context.now_ns = now_ns;
}

static void run_control(Kernel *kernel)
{
    TimerEvent event = timers_pop(&kernel->controls);

    kernel->control_count++;
    kernel->context.now_ns = event.at_ns;
    kernel->context.event_count = kernel_event_count(kernel);
    kernel->rules.floor_ns = event.at_ns;
    set_places_now(kernel, event.at_ns);
    event.handler->run(event.handler->actor, NULL, NULL);
    publish(kernel, event.at_ns);
}

static void run_window(Kernel *kernel, EventKey start, EventKey limit)
{
    SimTime far_ns = SIM_TIME_NEVER - start.at_ns;
    uint32_t ready_count = 0;
    EventKey end = {SIM_TIME_NEVER, 0};

    if (kernel->lookahead_ns < far_ns)
        end.at_ns = start.at_ns + kernel->lookahead_ns;
    if (event_key_before(limit, end))
        end = limit;
    for (uint32_t i = 0; i < kernel->place_count; i++)
        ready_count += event_key_before(place_peek(&kernel->places[i]), end);

    kernel->rules.phase = PHASE_WINDOW;
    kernel->limit = end;
    atomic_store_explicit(&kernel->next_place, 0, memory_order_relaxed);
    if (kernel->threads && ready_count > 1)
        kernel_threads_run(kernel->threads);
    else
        run_dealt_places(kernel);
    ensure_context_set(&kernel->context);
    publish(kernel, end.at_ns);
}

static void run_serial_stretch(Kernel *kernel, Place *place, EventKey limit)
{
    kernel->rules.phase = PHASE_WINDOW;
    ensure_context_set(&place->context);
    place_run(place, limit, true);
    ensure_context_set(&kernel->context);
    publish(kernel, place->context.now_ns);
}

typedef struct {
    Place *place;
    EventKey key;
    EventKey second; /* the least key of the other places */
} Earliest;

static Earliest find_earliest(Kernel *kernel)
{
    Earliest earliest = {&kernel->places[0], EVENT_KEY_NEVER, EVENT_KEY_NEVER};

    for (uint32_t i = 0; i < kernel->place_count; i++) {
        EventKey key = place_peek(&kernel->places[i]);

        if (event_key_before(key, earliest.key)) {
            earliest.second = earliest.key;
            earliest.key = key;
            earliest.place = &kernel->places[i];
        } else if (event_key_before(key, earliest.second)) {
            earliest.second = key;
        }
    }
    return earliest;
}

static EventKey least_of(EventKey a, EventKey b)
{
    return event_key_before(a, b) ? a : b;
}

static SimTime last_event_ns(const Kernel *kernel)
{
    SimTime last_ns = 0;

    for (uint32_t i = 0; i < kernel->place_count; i++)
        last_ns = MAX(last_ns, kernel->places[i].context.now_ns);
    return last_ns;
}

bool kernel_run_until(Kernel *kernel, SimTime until_ns)
{
    EventKey until = {until_ns, UINT64_MAX};

    ensure(kernel->rules.phase == PHASE_OUTSIDE);
    ensure(until_ns >= kernel->context.now_ns);
    ensure_context_set(&kernel->context);
    publish(kernel, kernel->context.now_ns); /* what set-up has staged */
    while (!kernel->is_stopped) {
        Earliest earliest = find_earliest(kernel);
        EventKey control = timers_peek(&kernel->controls);
        EventKey limit = least_of(control, until);

        if (event_key_before(earliest.key, limit)) {
            if (is_serial(kernel))
                run_serial_stretch(kernel, earliest.place, least_of(limit, earliest.second));
            else
                run_window(kernel, earliest.key, limit);
        } else if (event_key_before(control, until)) {
            run_control(kernel);
        } else {
            break;
        }
    }
    if (!kernel->is_stopped) {
        kernel->context.now_ns = until_ns != SIM_TIME_NEVER ? until_ns : last_event_ns(kernel);
        kernel->rules.floor_ns = kernel->context.now_ns;
        set_places_now(kernel, kernel->context.now_ns);
    }
    ensure_context_set(NULL);
    return !kernel->is_stopped;
}
