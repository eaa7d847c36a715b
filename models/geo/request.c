/* From the numbers of a request to the arguments of a command.
 *
 * Why it works: for declared keys a command finds its element, its number and its value by their
 * kinds, so the command's shape says which to give and their order among each other does not
 * matter.
 */
#include "models/geo/request.h"

#include <string.h>

#include "sim/ensure.h"

static const char *const outcome_names[] = {
    [OUTCOME_OK] = "ok",       [OUTCOME_TIMEOUT] = "timeout", [OUTCOME_REFUSED] = "refused",
    [OUTCOME_RESET] = "reset", [OUTCOME_OOM] = "oom",         [OUTCOME_ERROR] = "error",
    [OUTCOME_STALE] = "stale",
};

const char *outcome_name(Outcome outcome)
{
    ensure(outcome < OUTCOME_COUNT);
    return outcome_names[outcome];
}

static Arg number_arg(int64_t number)
{
    return (Arg){.kind = ARG_INTEGER, .number = (uint64_t)number};
}

static Arg value_arg(const Request *request)
{
    return (Arg){.kind = ARG_SYNTHETIC, .number = request->token, .bytes = request->value_bytes};
}

static Arg element_arg(const Request *request)
{
    uint32_t count = request->element_count > 0 ? request->element_count : 1;

    return (Arg){.kind = ARG_ELEMENT, .number = request->element, .count = count};
}

/* Drawn where nobody knows how many positions the key has by then. */
static Arg spot_arg(const Request *request)
{
    return (Arg){.kind = ARG_SPOT, .number = request->element};
}

/* A time to live in the command's unit: commands that begin with P count milliseconds. */
static Arg ttl_arg(const Request *request)
{
    if (request->spec->name[0] == 'P')
        return number_arg(request->ttl_ns / SIM_MS);
    return number_arg((request->ttl_ns + SIM_S - 1) / SIM_S);
}

static uint32_t value_args(const Request *request, Arg *out)
{
    out[1] = value_arg(request);
    if (request->spec->arity == 4) { /* after a time: SETEX; JSON.MERGE looks for the value alone */
        out[2] = out[1];
        out[1] = ttl_arg(request);
        return 3;
    }
    if (request->ttl_ns == 0 || strcmp(request->spec->name, "SET") != 0)
        return 2;
    out[2] = (Arg){.kind = ARG_BYTES, .data = "PX", .bytes = 2};
    out[3] = number_arg(request->ttl_ns / SIM_MS);
    return 4;
}

static uint32_t member_args(const Request *request, Arg *out)
{
    out[1] = element_arg(request);
    if (request->spec->arity == 4) { /* an increment */
        out[2] = number_arg(1);
        return 3;
    }
    if (request->spec->arity == -4) { /* a score */
        out[2] = value_arg(request);
        return 3;
    }
    return 2;
}

uint32_t request_args(const Request *request, Arg *out)
{
    out[0] = (Arg){.kind = ARG_KEY, .number = request->key};
    switch (request->spec->shape) {
    case SHAPE_KEY:
        break;
    case SHAPE_VALUE:
        return value_args(request, out);
    case SHAPE_FIELDS:
        out[1] = element_arg(request);
        out[2] = value_arg(request);
        return 3;
    case SHAPE_MEMBERS:
        return member_args(request, out);
    case SHAPE_NUMBER:
        out[1] = number_arg(1);
        return request->spec->arity == 2 ? 1 : 2; /* INCR says nothing, INCRBY how much */
    case SHAPE_TTL:
        out[1] = ttl_arg(request);
        return request->ttl_ns > 0 ? 2 : 1; /* else the family's */
    case SHAPE_WAIT:
        out[1] = number_arg((request->block_ns + SIM_MS - 1) / SIM_MS);
        return 2;
    case SHAPE_INDEX:
        out[1] = spot_arg(request);
        return 2;
    case SHAPE_PATCH:
        out[1] = spot_arg(request);
        out[2] = value_arg(request);
        return 3;
    case SHAPE_RANGE:
        out[1] = number_arg(0);
        out[2] = number_arg(SHAPE_RANGE_COUNT - 1);
        return 3;
    }
    return 1;
}
