/* Alerts tick, runbooks run: small state machines driven by controls between windows.
 *
 * An alert is evaluated every `every` with a phase of its own; it fires when it has held for `for`
 * and is armed again when it no longer holds.  A runbook that is already running is not started
 * twice.  A step waits for the step it follows, is guarded, may need approval, takes its time and
 * acts; a step that says STEP_AGAIN is asked at every further sample.
 */
#include "models/operators/operators.h"

#include "sim/ensure.h"

#define POLL_EVERY_NS (1 * SIM_S)

typedef enum { STEP_IDLE, STEP_RUNNING, STEP_FINISHED } StepPhase;

typedef struct RunbookState RunbookState;

typedef struct {
    RunbookState *runbook;
    const StepSpec *spec;
    StepPhase phase;
    SimTime started_ns;
    SimTime due_ns; /* when it acts next; what an earlier incident left behind comes at another time
                     */
    Handler handler;
} StepState;

struct RunbookState {
    Operations *operations;
    const RunbookSpec *spec;
    StepState *steps;
    bool running;
    uint32_t runs; /* incidents so far; keys the draws */
    uint32_t operator_index;
    const char *fault, *alert; /* that durations count from; NULL: none */
    SimTime clock_from_ns;     /* the fault, or the alert, that durations count from */
    Handler handler;
};

typedef struct {
    Operations *operations;
    const AlertSpec *spec;
    bool holding, fired;
    uint32_t fired_count;
    SimTime held_since_ns;
    uint64_t tick;
    Handler handler;
} AlertState;

struct Operations {
    OperationsConfig config;
    AlertState *alerts;
    RunbookState *runbooks;
    SimTime fault_began_ns; /* of the fault that began last, SIM_TIME_NEVER: none yet */
    uint32_t fault_index;   /* of that fault */
    uint64_t seq;
    Digest digest;
};

static void note(Operations *operations, const char *kind, const char *subject, const char *what,
                 const char *detail)
{
    SimTime now_ns = kernel_now_ns(operations->config.kernel);

    digest_u64(&operations->digest, (uint64_t)now_ns);
    digest_text(&operations->digest, subject);
    digest_text(&operations->digest, what);
    if (operations->config.log)
        operations->config.log(operations->config.log_actor, now_ns, kind, subject, what, detail);
}

static void schedule(Operations *operations, SimTime at_ns, const Handler *handler)
{
    kernel_at(operations->config.kernel, &(Control){.at_ns = at_ns,
                                                    .rank = RANK_OPERATOR,
                                                    .source = operations->config.source,
                                                    .seq = operations->seq++,
                                                    .handler = handler});
}

/* One random word for a stage of an incident: "<subject>/<stage>" and the incident's number. */
static uint64_t draw(const Operations *operations, const char *subject, const char *stage,
                     uint64_t incident)
{
    g_autofree char *label = g_strdup_printf("operator/%s/%s", subject, stage);

    return rng_keyed(rng_key(operations->config.seed, label), incident, 0);
}

static bool is_off_hours(const Operations *operations, const OperatorSpec *person, SimTime now_ns)
{
    SimTime of_day_ns = (operations->config.day_start_ns + now_ns) % SIM_DAY;

    if (person->off_from_ns <= person->off_to_ns)
        return of_day_ns >= person->off_from_ns && of_day_ns < person->off_to_ns;
    return of_day_ns >= person->off_from_ns || of_day_ns < person->off_to_ns;
}

/* How long people take for a stage; off hours stretch it. */
static SimTime people_take(const RunbookState *runbook, const Dist *dist, const char *stage)
{
    const Operations *operations = runbook->operations;
    const OperatorSpec *person = &operations->config.spec->operators[runbook->operator_index];
    SimTime now_ns = kernel_now_ns(operations->config.kernel);
    double factor = is_off_hours(operations, person, now_ns) ? person->off_factor : 1;

    if (!dist)
        return 0;
    return (SimTime)((double)dist_sample(
                         dist, draw(operations, runbook->spec->id, stage, runbook->runs)) *
                     factor);
}

static void runbook_advance(RunbookState *runbook);

static void runbook_end(RunbookState *runbook, const char *what, const char *detail)
{
    runbook->running = false;
    for (uint32_t i = 0; i < runbook->spec->step_count; i++)
        runbook->steps[i].phase = STEP_FINISHED;
    note(runbook->operations, "runbook", runbook->spec->id, what, detail);
}

static void step_finish(StepState *step, const char *what, const char *detail)
{
    RunbookState *runbook = step->runbook;
    Operations *operations = runbook->operations;
    SimTime now_ns = kernel_now_ns(operations->config.kernel);
    Recording *recording = operations->config.recording;
    const char *runbook_id = runbook->spec->id;

    step->phase = STEP_FINISHED;
    note(operations, "step", step->spec->id, what, detail);
    instrument_sample(
        recording_instrument(recording, "step.at",
                             &(Labels){.runbook = runbook_id, .step = step->spec->id}),
        now_ns, 1);
    if (step->spec->ends)
        instrument_sample(recording_instrument(recording, "runbook.duration",
                                               &(Labels){.runbook = runbook_id,
                                                         .ends = step->spec->ends,
                                                         .fault = runbook->fault,
                                                         .alert = runbook->alert}),
                          now_ns - runbook->clock_from_ns, 1);
    runbook_advance(runbook);
}

static void step_schedule(StepState *step, SimTime at_ns)
{
    step->due_ns = at_ns;
    schedule(step->runbook->operations, at_ns, &step->handler);
}

static void step_run(void *actor, Place *place, void *body)
{
    StepState *step = actor;
    Operations *operations = step->runbook->operations;
    StepActions actions = {.levers = operations->config.levers,
                           .recording = operations->config.recording,
                           .now_ns = kernel_now_ns(operations->config.kernel),
                           .started_ns = step->started_ns};

    (void)place;
    (void)body;
    if (step->phase != STEP_RUNNING || step->due_ns != actions.now_ns)
        return;
    switch (step->spec->verb->act(step->spec->state, &actions)) {
    case STEP_DONE:
        step_finish(step, "done", actions.detail);
        break;
    case STEP_FAILED:
        note(operations, "step", step->spec->id, "failed", actions.detail);
        runbook_end(step->runbook, "failed", step->spec->id);
        break;
    case STEP_AGAIN:
        step_schedule(step, actions.now_ns + POLL_EVERY_NS);
        break;
    }
}

static void step_begin(StepState *step)
{
    RunbookState *runbook = step->runbook;
    Operations *operations = runbook->operations;
    const StepSpec *spec = step->spec;
    SimTime now_ns = kernel_now_ns(operations->config.kernel);
    SimTime wait_ns = 0;

    if (spec->guard && !expression_holds_now(spec->guard, operations->config.recording)) {
        step_finish(step, "skipped", "");
        return;
    }
    step->phase = STEP_RUNNING;
    if (spec->approval) {
        const OperatorSpec *person = &operations->config.spec->operators[runbook->operator_index];
        g_autofree char *stage = g_strdup_printf("%s/approve", spec->id);

        wait_ns = people_take(runbook, person->approve, stage);
    }
    step->started_ns = now_ns + wait_ns;
    if (spec->takes) {
        g_autofree char *stage = g_strdup_printf("%s/takes", spec->id);

        wait_ns +=
            dist_sample(spec->takes, draw(operations, runbook->spec->id, stage, runbook->runs));
    }
    note(operations, "step", spec->id, "begins", "");
    step_schedule(step, now_ns + wait_ns);
}

/* Starts every step whose turn has come; ends the runbook when all are done. */
static void runbook_advance(RunbookState *runbook)
{
    bool finished = true;

    for (uint32_t i = 0; i < runbook->spec->step_count && runbook->running; i++) {
        StepState *step = &runbook->steps[i];
        int32_t after = step->spec->after;

        if (step->phase == STEP_IDLE && (after < 0 || runbook->steps[after].phase == STEP_FINISHED))
            step_begin(step);
    }
    for (uint32_t i = 0; i < runbook->spec->step_count; i++)
        finished &= runbook->steps[i].phase == STEP_FINISHED;
    if (runbook->running && finished)
        runbook_end(runbook, "done", "");
}

static void runbook_start(void *actor, Place *place, void *body)
{
    RunbookState *runbook = actor;

    (void)place;
    (void)body;
    note(runbook->operations, "runbook", runbook->spec->id, "begins", "");
    runbook_advance(runbook);
}

static void runbook_trigger(RunbookState *runbook, SimTime clock_from_ns, SimTime delay_ns)
{
    Operations *operations = runbook->operations;

    if (runbook->running)
        return;
    runbook->running = true;
    runbook->fault = operations->fault_began_ns == SIM_TIME_NEVER || !operations->config.fault_names
                         ? NULL
                         : operations->config.fault_names[operations->fault_index];
    runbook->alert = runbook->spec->trigger == RUNBOOK_ON_ALERT
                         ? operations->config.spec->alerts[runbook->spec->trigger_index].id
                         : NULL;
    runbook->runs++;
    runbook->clock_from_ns = clock_from_ns;
    for (uint32_t i = 0; i < runbook->spec->step_count; i++)
        runbook->steps[i].phase = STEP_IDLE;
    schedule(runbook->operations, kernel_now_ns(runbook->operations->config.kernel) + delay_ns,
             &runbook->handler);
}

static void alert_fire(AlertState *alert)
{
    Operations *operations = alert->operations;
    const OperationsSpec *spec = operations->config.spec;
    SimTime now_ns = kernel_now_ns(operations->config.kernel);
    uint32_t index = (uint32_t)(alert - operations->alerts);

    alert->fired = true;
    alert->fired_count++;
    note(operations, "alert", alert->spec->id, "fires", "");
    instrument_sample(recording_instrument(operations->config.recording, "alert.fired_at",
                                           &(Labels){.alert = alert->spec->id}),
                      now_ns, 1);
    for (uint32_t i = 0; i < spec->runbook_count; i++) {
        RunbookState *runbook = &operations->runbooks[i];
        const OperatorSpec *person = &spec->operators[alert->spec->operator_index];
        SimTime from_ns =
            operations->fault_began_ns == SIM_TIME_NEVER ? now_ns : operations->fault_began_ns;
        SimTime delay_ns;

        if (runbook->running || runbook->spec->trigger != RUNBOOK_ON_ALERT ||
            runbook->spec->trigger_index != index)
            continue;
        runbook->operator_index = alert->spec->operator_index;
        delay_ns = people_take(runbook, person->ack, "ack");
        delay_ns += people_take(runbook, person->decide, "decide");
        runbook_trigger(runbook, from_ns, delay_ns);
    }
}

static void alert_tick(void *actor, Place *place, void *body)
{
    AlertState *alert = actor;
    Operations *operations = alert->operations;
    SimTime now_ns = kernel_now_ns(operations->config.kernel);

    (void)place;
    (void)body;
    if (!expression_holds_now(alert->spec->when, operations->config.recording)) {
        if (alert->fired)
            note(operations, "alert", alert->spec->id, "clears", "");
        alert->holding = alert->fired = false;
    } else {
        if (!alert->holding)
            alert->held_since_ns = now_ns;
        alert->holding = true;
        if (!alert->fired && now_ns - alert->held_since_ns >= alert->spec->for_ns)
            alert_fire(alert);
    }
    schedule(operations, now_ns + alert->spec->every_ns, &alert->handler);
}

Operations *operations_new(const OperationsConfig *config)
{
    Operations *operations = g_new0(Operations, 1);
    const OperationsSpec *spec = config->spec;

    operations->config = *config;
    operations->digest = digest_begin();
    operations->fault_began_ns = SIM_TIME_NEVER;
    operations->alerts = g_new0(AlertState, spec->alert_count);
    operations->runbooks = g_new0(RunbookState, spec->runbook_count);
    for (uint32_t i = 0; i < spec->alert_count; i++)
        operations->alerts[i] = (AlertState){.operations = operations,
                                             .spec = &spec->alerts[i],
                                             .handler = {alert_tick, &operations->alerts[i]}};
    for (uint32_t i = 0; i < spec->runbook_count; i++) {
        RunbookState *runbook = &operations->runbooks[i];

        *runbook = (RunbookState){.operations = operations,
                                  .spec = &spec->runbooks[i],
                                  .steps = g_new0(StepState, spec->runbooks[i].step_count),
                                  .handler = {runbook_start, runbook}};
        for (uint32_t k = 0; k < runbook->spec->step_count; k++)
            runbook->steps[k] = (StepState){.runbook = runbook,
                                            .spec = &runbook->spec->steps[k],
                                            .handler = {step_run, &runbook->steps[k]}};
    }
    return operations;
}

void operations_free(Operations *operations)
{
    if (!operations)
        return;
    for (uint32_t i = 0; i < operations->config.spec->runbook_count; i++)
        g_free(operations->runbooks[i].steps);
    g_free(operations->runbooks);
    g_free(operations->alerts);
    g_free(operations);
}

void operations_start(Operations *operations)
{
    for (uint32_t i = 0; i < operations->config.spec->alert_count; i++) {
        AlertState *alert = &operations->alerts[i];
        uint64_t phase = rng_scale(draw(operations, alert->spec->id, "phase", 0),
                                   (uint64_t)alert->spec->every_ns);

        schedule(operations, (SimTime)phase, &alert->handler);
    }
}

void operations_fault_begins(Operations *operations, uint32_t fault_index, SimTime now_ns)
{
    operations->fault_began_ns = now_ns;
    operations->fault_index = fault_index;
    for (uint32_t i = 0; i < operations->config.spec->runbook_count; i++) {
        RunbookState *runbook = &operations->runbooks[i];

        if (runbook->spec->trigger == RUNBOOK_ON_FAULT &&
            runbook->spec->trigger_index == fault_index)
            runbook_trigger(runbook, now_ns, 0);
    }
}

void operations_fault_ends(Operations *operations, uint32_t fault_index, SimTime now_ns)
{
    for (uint32_t i = 0; i < operations->config.spec->runbook_count; i++) {
        RunbookState *runbook = &operations->runbooks[i];
        SimTime from_ns =
            operations->fault_began_ns == SIM_TIME_NEVER ? now_ns : operations->fault_began_ns;

        if (runbook->spec->trigger == RUNBOOK_AFTER_FAULT &&
            runbook->spec->trigger_index == fault_index)
            runbook_trigger(runbook, from_ns, 0);
    }
}

void operations_digest(const Operations *operations, Digest *digest)
{
    digest_combine(digest, operations->digest);
}
