/* Places at one member against a real Redis, digit by digit. */
#include "tests/test.h"

#include <math.h>

#include "tests/judge/judge.h"

static const char *const keys[] = {"g1", "g2", "lattice", NULL};

#define FORM(text)                                                                                 \
    {                                                                                              \
        .form = (text)                                                                             \
    }
/* The edges, the poles and points of a handful of towns that lie near each other. */
#define LONGITUDE                                                                                  \
    "( <float> | <float> | 13.361389 | 15.087269 | 13.583333 | -122.27652 | 179.99999 | "          \
    "-179.99 | 180 | -180 | 0 | 151.2093 | 37.6173 | 1e-9 | 13.4 )"
#define LATITUDE                                                                                   \
    "( <float> | <float> | 38.115556 | 37.502669 | 37.316667 | 37.805186 | 85.05112878 | "         \
    "-85.05112878 | 67.5 | 82.3 | -70.1 | -33.8688 | 55.7558 | 0 | 38.1 )"
#define UNIT "( m | km | km | ft | mi | KM | Mi )"
#define LENGTH                                                                                     \
    "( 0 | 1 | 17.5 | 200 | 200 | 1000 | 5000 | 30000 | 1e6 | 4e7 | 1e300 | inf | <float> )"
#define CIRCLE "BYRADIUS " LENGTH " " UNIT
#define BOX    "BYBOX " LENGTH " " LENGTH " " UNIT
#define CENTRE "( FROMMEMBER <member> | FROMLONLAT " LONGITUDE " " LATITUDE " )"
#define SHAPE  "( " CIRCLE " | " BOX " )"
#define LIMIT  "[ COUNT <few> ] [ ( ANY | ASC | DESC ) ]"
#define WITH   "[ WITHDIST ] [ WITHHASH ] [ WITHCOORD ]"
#define STORE  "[ ( STORE <key> | STOREDIST <key> ) ]"
#define AT     LONGITUDE " " LATITUDE " "
#define MANY                                                                                       \
    "GEOADD <key> " AT "m0 " AT "m1 " AT "m2 " AT "m3 <float> <float> m4 <float> <float> m5 "      \
    "13.37 38.12 m6 13.35 38.1 m7 13.361389 38.2 m8"

static const JudgeForm forms[] = {
    FORM("GEOADD <key> [ ( NX | XX | CH | NX CH | XX CH | NX XX ) ] { " LONGITUDE " " LATITUDE
         " <member> }"),
    FORM("GEOADD <key> { " LONGITUDE " " LATITUDE " <member> }"),
    FORM("GEOADD <key> { <float> <float> <member> }"),
    FORM("GEOADD <key> 13.361389 38.115556 m1 15.087269 37.502669 m2 12.758489 38.788135 m3 "
         "17.241510 38.788135 m4"),
    FORM(MANY),
    FORM(MANY),
    FORM(MANY),
    FORM("ZADD <key> { <score> <member> }"),
    FORM("ZREM <key> <member>"),
    FORM("DEL <key>"),
    FORM("GEOPOS <key> { <member> }"),
    FORM("GEOHASH <key> { <member> }"),
    FORM("GEODIST <key> <member> <member> [ " UNIT " ]"),
    FORM("GEODIST <key> <member> <member> [ " UNIT " ]"),
    FORM("GEOSEARCH <key> " CENTRE " " SHAPE " " LIMIT " " WITH),
    FORM("GEOSEARCH <key> " SHAPE " " WITH " " CENTRE " " LIMIT),
    FORM("GEOSEARCH <key> " CENTRE " " CIRCLE " " WITH),
    FORM("GEOSEARCH <key> " CENTRE " " BOX " " WITH),
    FORM("GEOSEARCH <key> " CENTRE " [ " CENTRE " ] " SHAPE " [ " SHAPE " ]"),
    FORM("GEOSEARCHSTORE <key> <key> " CENTRE " " SHAPE " " LIMIT " [ STOREDIST ]"),
    FORM("GEOSEARCHSTORE <key> <key> " CENTRE " " SHAPE " " WITH),
    FORM("GEORADIUS <key> " LONGITUDE " " LATITUDE " " LENGTH " " UNIT " " WITH " " LIMIT),
    FORM("GEORADIUS <key> " LONGITUDE " " LATITUDE " " LENGTH " " UNIT " " STORE " " LIMIT),
    FORM("GEORADIUS_RO <key> " LONGITUDE " " LATITUDE " " LENGTH " " UNIT " " WITH " " STORE),
    FORM("GEORADIUSBYMEMBER <key> <member> " LENGTH " " UNIT " " WITH " " LIMIT),
    FORM("GEORADIUSBYMEMBER <key> <member> " LENGTH " " UNIT " " STORE " " LIMIT),
    FORM("GEORADIUSBYMEMBER_RO <key> <member> " LENGTH " " UNIT " " WITH " " STORE),
    {.form = "ZRANGE <key> 0 -1 WITHSCORES", .scores = true},
};

static const JudgeType type = {
    .type = "geo", .keys = keys, .forms = forms, .form_count = G_N_ELEMENTS(forms)};

static bool is(const GPtrArray *command, const char *name)
{
    return strcmp(((const GString *)command->pdata[0])->str, name) == 0;
}

/* Redis cuts COUNT out of a partial sort that leaves equal distances in no order; ours is that of
 * the cells.  All but the names is the same. */
static bool differs_in_ties(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (!judge_has_word(command, "COUNT") || redis->kind != REPLY_ARRAY ||
        ours->kind != REPLY_ARRAY || redis->count != ours->count)
        return false;
    for (uint32_t i = 0; i < ours->count; i++) {
        const Reply *a = &redis->items[i];
        const Reply *b = &ours->items[i];

        if (a->kind != b->kind || a->count != b->count)
            return false;
        for (uint32_t part = 1; part < a->count; part++)
            if (!judge_equal(&a->items[part], &b->items[part], false))
                return false;
    }
    return true;
}

/* STOREDIST: libm's sine is off by an ulp at times, which the last of 17 digits shows. */
static bool differs_in_last_bit(const GPtrArray *command, const Reply *redis, const Reply *ours)
{
    if (!is(command, "ZRANGE") || redis->kind != REPLY_ARRAY || ours->kind != REPLY_ARRAY ||
        redis->count != ours->count)
        return false;
    for (uint32_t i = 0; i < ours->count; i++) {
        const Reply *a = &redis->items[i];
        const Reply *b = &ours->items[i];

        if (i % 2 == 0
                ? !judge_equal(a, b, false)
                : fabs(g_ascii_strtod(a->text, NULL) / g_ascii_strtod(b->text, NULL) - 1) > 1e-15)
            return false;
    }
    return true;
}

static const JudgeDifference differences[] = {
    {"equal distances come in no order under COUNT", differs_in_ties},
    {"a stored distance may differ in its last bit", differs_in_last_bit},
};

static void test_places_reply_as_redis(void)
{
    Judge judge = {.differences = differences, .difference_count = G_N_ELEMENTS(differences)};
    long count = test_count(8000, 200000);
    long documented = judge_run(&judge, &type, count);

    EXPECT(documented <= count / 2000); /* neither is what usually happens */
}

static const TestCase cases[] = {
    TEST(test_places_reply_as_redis),
};
JUDGE_MAIN("judge_geo", cases)
