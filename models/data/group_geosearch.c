/* Searches of places: what lies within a circle or a box (crdt-semantics.md 3.5).
 *
 * Why it works: a place's score begins with the cell it lies in, so the elements of a cell are a
 * run of the set in its order; nine cells hold the shape, and each element of theirs is measured.
 * Without a wish for an order elements come cell by cell, then by score, as Redis gives them.  A
 * stored result is DEL and assignments. */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "models/data/geo_argument.h"
#include "models/data/zset_order.h"

typedef enum { FROM_PLACE, FROM_MEMBER, FROM_OPTIONS } SearchForm;
typedef enum { ORDER_NONE, ORDER_NEAREST, ORDER_FURTHEST } SearchOrder;

typedef struct {
    SearchForm form;
    bool may_store;     /* GEORADIUS with STORE */
    bool stores_always; /* GEOSEARCHSTORE */

    Key key;
    bool exists;
    EarthShape shape;
    double unit_metres;
    SearchOrder order;
    int64_t count; /* 0: all */
    bool any, with_distance, with_hash, with_place;
    bool has_centre, centre_is_member, has_shape;
    bool stores, stores_distances;
    uint32_t target; /* index of the key to store into */
} Search;

/* --- reading */

static bool read_centre_member(CommandRun *run, uint32_t index, Search *search)
{
    ElementRef ref;

    search->has_centre = search->centre_is_member = true;
    if (!search->exists)
        return true; /* the reply depends on the options to come */
    ref = run_element(run, &search->key, index);
    if (geo_find_point(run, &search->key, true, &ref, &search->shape.centre))
        return true;
    run_reply_error(run, "ERR could not decode requested zset member");
    return false;
}

static bool read_number(CommandRun *run, uint32_t index, const char *error, double *out)
{
    if (run_double(run, index, out))
        return true;
    run_reply_error(run, error);
    return false;
}

static bool read_circle(CommandRun *run, uint32_t index, Search *search)
{
    EarthShape *shape = &search->shape;

    search->has_shape = true;
    shape->is_box = false;
    if (!read_number(run, index, "ERR need numeric radius", &shape->radius_m))
        return false;
    if (shape->radius_m < 0) {
        run_reply_error(run, "ERR radius cannot be negative");
        return false;
    }
    if (!geo_read_unit(run, index + 1, &search->unit_metres))
        return false;
    shape->radius_m *= search->unit_metres;
    return true;
}

static bool read_box(CommandRun *run, uint32_t index, Search *search)
{
    EarthShape *shape = &search->shape;

    search->has_shape = shape->is_box = true;
    if (!read_number(run, index, "ERR need numeric width", &shape->width_m) ||
        !read_number(run, index + 1, "ERR need numeric height", &shape->height_m))
        return false;
    if (shape->width_m < 0 || shape->height_m < 0) {
        run_reply_error(run, "ERR height or width cannot be negative");
        return false;
    }
    if (!geo_read_unit(run, index + 2, &search->unit_metres))
        return false;
    shape->width_m *= search->unit_metres;
    shape->height_m *= search->unit_metres;
    return true;
}

static bool read_flag(const Arg *arg, Search *search)
{
    if (arg_is(arg, "WITHDIST"))
        search->with_distance = true;
    else if (arg_is(arg, "WITHHASH"))
        search->with_hash = true;
    else if (arg_is(arg, "WITHCOORD"))
        search->with_place = true;
    else if (arg_is(arg, "ANY"))
        search->any = true;
    else if (arg_is(arg, "ASC"))
        search->order = ORDER_NEAREST;
    else if (arg_is(arg, "DESC"))
        search->order = ORDER_FURTHEST;
    else if (search->stores_always && arg_is(arg, "STOREDIST"))
        search->stores_distances = true;
    else
        return false;
    return true;
}

static bool read_count(CommandRun *run, uint32_t index, Search *search)
{
    if (!run_integer(run, index, &search->count))
        return false;
    if (search->count > 0)
        return true;
    run_reply_error(run, "ERR COUNT must be > 0");
    return false;
}

/* The option at *index, which moves to its last word; an earlier one may rule it out. */
static bool read_option(CommandRun *run, uint32_t *index, Search *search)
{
    const Arg *arg = run_arg(run, *index);
    uint32_t at = *index + 1;
    uint32_t left = run_count(run) - at;
    bool free_form = search->form == FROM_OPTIONS;
    bool member_first = search->has_centre && search->centre_is_member;

    if (read_flag(arg, search))
        return true;
    *index += 1;
    if (left >= 1 && arg_is(arg, "COUNT"))
        return read_count(run, at, search);
    if (left >= 1 && search->may_store && (arg_is(arg, "STORE") || arg_is(arg, "STOREDIST"))) {
        search->stores = true;
        search->stores_distances = arg_is(arg, "STOREDIST");
        search->target = at;
        return true;
    }
    if (free_form && left >= 1 && (!search->has_centre || member_first) &&
        arg_is(arg, "FROMMEMBER"))
        return read_centre_member(run, at, search);
    *index += 1;
    if (free_form && left >= 2 && !member_first && arg_is(arg, "FROMLONLAT")) {
        search->has_centre = true;
        return geo_read_point(run, at, &search->shape.centre);
    }
    if (free_form && left >= 2 && (!search->has_shape || !search->shape.is_box) &&
        arg_is(arg, "BYRADIUS"))
        return read_circle(run, at, search);
    *index += 1;
    if (free_form && left >= 3 && (!search->has_shape || search->shape.is_box) &&
        arg_is(arg, "BYBOX"))
        return read_box(run, at, search);
    run_reply_error(run, ERROR_SYNTAX);
    return false;
}

static bool options_agree(CommandRun *run, const Search *search)
{
    const char *name = run->command->spec->name;
    bool with = search->with_distance || search->with_hash || search->with_place;

    if (search->stores && with)
        run_reply_error_about(
            run, "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
            search->stores_always ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS",
            search->stores_always ? strlen("GEOSEARCHSTORE") : strlen("STORE option in GEORADIUS"));
    else if (!search->has_centre) /* Simplified: the name as it is, not as the client wrote it */
        run_reply_error_about(run,
                              "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %s",
                              name, strlen(name));
    else if (!search->has_shape)
        run_reply_error_about(run, "ERR exactly one of BYRADIUS and BYBOX can be specified for %s",
                              name, strlen(name));
    else if (search->any && search->count == 0)
        run_reply_error(run, "ERR the ANY argument requires COUNT argument");
    else
        return true;
    return false;
}

/* The words between the key and the options. */
static bool read_fixed(CommandRun *run, Search *search, uint32_t *out_next)
{
    *out_next = search->stores_always ? 2 : 1;
    if (search->form == FROM_PLACE) {
        *out_next = 5;
        search->has_centre = true;
        return geo_read_point(run, 1, &search->shape.centre) && read_circle(run, 3, search);
    }
    if (search->form == FROM_MEMBER) {
        *out_next = 4;
        search->has_shape = true; /* of a key that is not there Redis does not read it */
        return read_centre_member(run, 1, search) &&
               (!search->exists || read_circle(run, 2, search));
    }
    return true;
}

static bool read_search(CommandRun *run, Search *search)
{
    uint32_t index;

    search->stores = search->stores_always;
    if (!run_find(run, search->stores_always ? 1 : 0, CRDT_ZSET, &search->key, &search->exists) ||
        !read_fixed(run, search, &index))
        return false;
    for (; index < run_count(run); index++)
        if (!read_option(run, &index, search))
            return false;
    return options_agree(run, search);
}

/* --- searching */

typedef struct {
    Scored item;
    EarthPoint point;
    double distance_m;
    uint32_t place; /* in the order found, which ties keep */
} Found;

static int compare_distances(const void *a, const void *b)
{
    const Found *x = a;
    const Found *y = b;

    if (x->distance_m != y->distance_m)
        return x->distance_m < y->distance_m ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static int compare_distances_down(const void *a, const void *b)
{
    const Found *x = a;
    const Found *y = b;

    if (x->distance_m != y->distance_m)
        return x->distance_m > y->distance_m ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static bool is_below_cell(const void *bound, const Scored *item)
{
    return item->score < ((const EarthCell *)bound)->low;
}

/* ANY ends at the count, whatever lies nearer. */
static bool is_enough(const Search *search, const GArray *found)
{
    return search->any && found->len >= search->count;
}

static void search_cell(const Search *search, ZsetOrder *order, EarthCell cell, GArray *found)
{
    for (uint32_t i = zset_order_below(order, is_below_cell, &cell, 0, WALK_UP);
         i < order->count && !is_enough(search, found); i++) {
        Found each = {.item = zset_order_at(order, i), .place = found->len};

        if (each.item.score >= cell.high)
            return;
        each.point = earth_point(each.item.score);
        if (earth_shape_holds(&search->shape, each.point, &each.distance_m))
            g_array_append_val(found, each);
    }
}

/* COUNT alone means the nearest. */
static GArray *find_all(CommandRun *run, const Search *search)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Found));
    bool nearest = search->order == ORDER_NEAREST ||
                   (search->order == ORDER_NONE && search->count > 0 && !search->any);
    EarthCell cells[EARTH_CELLS];
    uint32_t cell_count = search->exists ? earth_cover(&search->shape, cells) : 0;
    ZsetOrder order;

    zset_order_open(run, &search->key, search->exists, &order);
    for (uint32_t i = 0; i < cell_count; i++)
        search_cell(search, &order, cells[i], found);
    if (nearest)
        g_array_sort(found, compare_distances);
    else if (search->order == ORDER_FURTHEST)
        g_array_sort(found, compare_distances_down);
    if (search->count > 0 && found->len > search->count)
        g_array_set_size(found, (guint)search->count);
    return found;
}

/* --- replying */

static void reply_found(CommandRun *run, const Search *search, const GArray *found)
{
    bool alone = !search->with_distance && !search->with_hash && !search->with_place;

    run_reply_array(run, found->len);
    for (uint32_t i = 0; i < found->len; i++) {
        const Found *each = &g_array_index(found, Found, i);
        Reply *outer = alone ? run->reply : run_open_array(run, 4);

        run_push_text(run, element_name(&search->key, &each->item.ref));
        if (search->with_distance)
            geo_push_distance(run, each->distance_m / search->unit_metres);
        if (search->with_hash)
            run_push_integer(run, (int64_t)each->item.score);
        if (search->with_place)
            geo_push_point(run, each->point);
        run_close_array(run, outer);
    }
}

static void store_found(CommandRun *run, const Search *search, const GArray *found)
{
    Scored *items = g_new(Scored, found->len + 1);

    for (uint32_t i = 0; i < found->len; i++) {
        const Found *each = &g_array_index(found, Found, i);

        items[i] = each->item;
        if (search->stores_distances)
            items[i].score = each->distance_m / search->unit_metres;
    }
    zset_replace(run, search->target, items, found->len);
    g_free(items);
}

static void answer(CommandRun *run, Search search)
{
    GArray *found;

    if (!read_search(run, &search))
        return;
    found = find_all(run, &search);
    if (search.stores)
        store_found(run, &search, found);
    else
        reply_found(run, &search, found);
    g_array_free(found, TRUE);
}

static void run_georadius(CommandRun *run)
{
    answer(run, (Search){.form = FROM_PLACE, .may_store = true});
}

static void run_georadius_ro(CommandRun *run)
{
    answer(run, (Search){.form = FROM_PLACE});
}

static void run_georadiusbymember(CommandRun *run)
{
    answer(run, (Search){.form = FROM_MEMBER, .may_store = true});
}

static void run_georadiusbymember_ro(CommandRun *run)
{
    answer(run, (Search){.form = FROM_MEMBER});
}

static void run_geosearch(CommandRun *run)
{
    answer(run, (Search){.form = FROM_OPTIONS});
}

static void run_geosearchstore(CommandRun *run)
{
    answer(run, (Search){.form = FROM_OPTIONS, .stores_always = true});
}

/* GEORADIUS and GEORADIUSBYMEMBER may store, so they count as writes, as in Redis. */
static const CommandSpec specs[] = {
    COMMAND_SPEC("GEOSEARCH", "elements within a circle or a box", -7, false, OP_READ, SHAPE_KEY,
                 6.0, run_geosearch),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "GEOSEARCHSTORE", "GEOSEARCH into another key", -8, true, OP_LWW,
                      SHAPE_KEY, 9.0, run_geosearchstore),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "GEORADIUS", "elements around a place, or into another key", -6,
                      true, OP_LWW, SHAPE_KEY, 6.0, run_georadius),
    COMMAND_SPEC("GEORADIUS_RO", "elements around a place", -6, false, OP_READ, SHAPE_KEY, 6.0,
                 run_georadius_ro),
    COMMAND_SPEC_LIFE(LIFE_OTHER, "GEORADIUSBYMEMBER",
                      "elements around an element, or into another key", -5, true, OP_LWW,
                      SHAPE_KEY, 6.0, run_georadiusbymember),
    COMMAND_SPEC("GEORADIUSBYMEMBER_RO", "elements around an element", -5, false, OP_READ,
                 SHAPE_KEY, 6.0, run_georadiusbymember_ro),
};

const CommandGroup command_group_geosearch = {
    .head = {.name = "geosearch", .summary = "searches of places in sorted sets"},
    .serves = "zset",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
