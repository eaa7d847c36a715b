/* Commands on places (crdt-semantics.md 3.5: a sorted set whose scores are places).
 *
 * Why it works: GEOADD is ZADD with scores of its own making, so it merges as sorted sets do:
 * concurrent moves of one element end at the later one.  Reading turns a score back into the middle
 * of its cell, which is what every member shows. */
#include <string.h>

#include <glib.h>

#include "models/data/geo_argument.h"
#include "models/data/zset_order.h"

#define DISTANCE_TEXT_BYTES 9  /* about */
#define DEGREES_TEXT_BYTES  20 /* about */
#define NUMBER_TEXT_MAX     400

/* --- shared with group_geosearch.c */

bool geo_read_point(CommandRun *run, uint32_t index, EarthPoint *out)
{
    char text[2 * NUMBER_TEXT_MAX], numbers[2][NUMBER_TEXT_MAX];

    if (!run_double(run, index, &out->longitude) || !run_double(run, index + 1, &out->latitude))
        return false;
    if (earth_has(*out))
        return true;
    g_ascii_formatd(numbers[0], NUMBER_TEXT_MAX, "%f", out->longitude);
    g_ascii_formatd(numbers[1], NUMBER_TEXT_MAX, "%f", out->latitude);
    g_snprintf(text, sizeof text, "%s,%s", numbers[0], numbers[1]);
    run_reply_error_about(run, "ERR invalid longitude,latitude pair %s", text, strlen(text));
    return false;
}

bool geo_read_unit(CommandRun *run, uint32_t index, double *out_metres)
{
    static const struct {
        const char *name;
        double metres;
    } units[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};

    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (arg_is(run_arg(run, index), units[i].name)) {
            *out_metres = units[i].metres;
            return true;
        }
    }
    run_reply_error(run, "ERR unsupported unit provided. please use M, KM, FT, MI");
    return false;
}

bool geo_find_point(CommandRun *run, const Key *key, bool exists, const ElementRef *ref,
                    EarthPoint *out)
{
    SlotView view = exists ? run_view(run, key, CRDT_ZSET, ref) : (SlotView){0};

    if (view.present)
        *out = earth_point(view_score(&view));
    return view.present;
}

static PayloadText distance_text(const CommandRun *run, double distance,
                                 char buffer[NUMBER_TEXT_MAX])
{
    if (!run->arena)
        return (PayloadText){NULL, DISTANCE_TEXT_BYTES};
    g_ascii_formatd(buffer, NUMBER_TEXT_MAX, "%.4f", distance);
    return (PayloadText){buffer, (uint32_t)strlen(buffer)};
}

void geo_reply_distance(CommandRun *run, double distance)
{
    char buffer[NUMBER_TEXT_MAX];

    run_reply_text(run, distance_text(run, distance, buffer));
}

void geo_push_distance(CommandRun *run, double distance)
{
    char buffer[NUMBER_TEXT_MAX];

    run_push_text(run, distance_text(run, distance, buffer));
}

/* 17 decimals, of which the zeros at the end are left out. */
static void push_degrees(CommandRun *run, double degrees)
{
    char buffer[NUMBER_TEXT_MAX];
    size_t bytes;

    if (!run->arena) {
        run_push_text(run, (PayloadText){NULL, DEGREES_TEXT_BYTES});
        return;
    }
    g_ascii_formatd(buffer, NUMBER_TEXT_MAX, "%.17f", degrees);
    bytes = strlen(buffer);
    while (buffer[bytes - 1] == '0')
        bytes--;
    if (buffer[bytes - 1] == '.')
        bytes--;
    run_push_text(run, (PayloadText){buffer, (uint32_t)bytes});
}

void geo_push_point(CommandRun *run, EarthPoint point)
{
    Reply *outer = run_open_array(run, 2);

    push_degrees(run, point.longitude);
    push_degrees(run, point.latitude);
    run_close_array(run, outer);
}

/* --- GEOADD */

typedef struct {
    bool nx, xx, ch;
    uint32_t first; /* index of the first longitude */
} GeoaddOptions;

static bool geoadd_read_options(CommandRun *run, GeoaddOptions *options)
{
    uint32_t rest;

    for (options->first = 1; options->first < run_count(run); options->first++) {
        const Arg *arg = run_arg(run, options->first);
        bool *flag = arg_is(arg, "NX")   ? &options->nx
                     : arg_is(arg, "XX") ? &options->xx
                     : arg_is(arg, "CH") ? &options->ch
                                         : NULL;
        if (!flag)
            break;
        *flag = true;
    }
    rest = run_count(run) - options->first;
    if (rest > 0 && rest % 3 == 0 && !(options->nx && options->xx))
        return true;
    run_reply_error(run, ERROR_SYNTAX);
    return false;
}

static void geoadd_places(CommandRun *run, Key *key, const GeoaddOptions *options)
{
    int64_t added = 0;
    int64_t changed = 0;

    for (uint32_t i = options->first; i < run_count(run); i += 3) {
        ElementRef ref = run_element(run, key, i + 2);
        SlotView view = run_view(run, key, CRDT_ZSET, &ref);
        EarthPoint point;
        double score;

        if (view.present ? options->nx : options->xx)
            continue;
        geo_read_point(run, i, &point);
        score = earth_score(point);
        added += !view.present;
        changed += !view.present || view_score(&view) != score;
        run_assign(run, key, CRDT_ZSET, &ref, score_value(score));
    }
    run_reply_integer(run, options->ch ? changed : added);
}

/* Workload: a run of elements comes to one place, told by the bits of an integer or a token. */
static void geoadd_declared(CommandRun *run, Key *key, bool exists)
{
    const Arg *place = run_first_of(run, ARG_SYNTHETIC);
    LocalWrite write = {.op = EFFECT_ASSIGN, .type = CRDT_ZSET, .now = run->now};

    if (!place)
        place = run_first_of(run, ARG_INTEGER);
    run_declared_range(run, key, exists, &write);
    write.value = score_value(place ? (double)(place->number & ((UINT64_C(1) << 52) - 1)) : 0.0);
    store_write(run->store, key, &write);
    run_reply_integer(run, exists ? 0 : key->state->fields);
}

static void run_geoadd(CommandRun *run)
{
    bool in_words = run_arg(run, 1)->kind == ARG_BYTES;
    GeoaddOptions options = {0};
    EarthPoint point;
    bool exists;
    Key key;

    if (run_arg(run, 0)->kind == ARG_KEY && !in_words) {
        if (run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
            geoadd_declared(run, &key, exists);
        return;
    }
    if (!geoadd_read_options(run, &options))
        return;
    for (uint32_t i = options.first; i < run_count(run); i += 3)
        if (!geo_read_point(run, i, &point)) /* then nothing is written */
            return;
    if (run_find_to_write(run, 0, CRDT_ZSET, &key, &exists))
        geoadd_places(run, &key, &options);
}

/* --- reading */

static void run_geopos(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    run_reply_array(run, run_count(run) - 1);
    for (uint32_t i = 1; i < run_count(run); i++) {
        ElementRef ref = run_element(run, &key, i);
        EarthPoint point;

        if (geo_find_point(run, &key, exists, &ref, &point))
            geo_push_point(run, point);
        else
            run_push_nil(run);
    }
}

static void run_geohash(CommandRun *run)
{
    bool exists;
    Key key;

    if (!run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    run_reply_array(run, run_count(run) - 1);
    for (uint32_t i = 1; i < run_count(run); i++) {
        ElementRef ref = run_element(run, &key, i);
        char text[EARTH_HASH_BYTES];
        EarthPoint point;

        if (!geo_find_point(run, &key, exists, &ref, &point)) {
            run_push_nil(run);
            continue;
        }
        earth_hash(point, text);
        run_push_text(run, (PayloadText){text, EARTH_HASH_BYTES});
    }
}

static void run_geodist(CommandRun *run)
{
    ElementRef from, to;
    EarthPoint a, b;
    double unit_metres = 1;
    bool exists;
    Key key;

    if (run_count(run) > 4) {
        run_reply_error(run, ERROR_SYNTAX);
        return;
    }
    if ((run_count(run) == 4 && !geo_read_unit(run, 3, &unit_metres)) ||
        !run_find(run, 0, CRDT_ZSET, &key, &exists))
        return;
    from = run_element(run, &key, 1);
    to = run_element(run, &key, 2);
    if (geo_find_point(run, &key, exists, &from, &a) && geo_find_point(run, &key, exists, &to, &b))
        geo_reply_distance(run, earth_distance_m(a, b) / unit_metres);
    else
        run_reply_nil(run);
}

static const CommandSpec specs[] = {
    COMMAND_SPEC("GEOADD", "put elements at places", -5, true, OP_LWW, SHAPE_MEMBERS, 1.2,
                 run_geoadd),
    COMMAND_SPEC("GEOPOS", "where elements are", -2, false, OP_READ, SHAPE_MEMBERS, 1.0,
                 run_geopos),
    COMMAND_SPEC("GEODIST", "how far apart two elements are", -4, false, OP_READ, SHAPE_MEMBERS,
                 1.0, run_geodist),
    COMMAND_SPEC("GEOHASH", "places of elements as geohash texts", -2, false, OP_READ,
                 SHAPE_MEMBERS, 1.0, run_geohash),
};

const CommandGroup command_group_geo = {
    .head = {.name = "geo", .summary = "places in sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
