/* What a person reads who made a mistake in a scenario file: one message, with the place, the
 * finding and what would be right.
 *
 * Why it works: one good file, one mistake at a time put in place of a piece of it, and the whole
 * message compared word by word; then the same through the program, which must end with 2 and leave
 * nothing behind.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/scenario/scenario.h"
#include "tests/test.h"
#include "tools/subcommand.h"

static const char good[] =
    "{\n"
    "  \"quintet\": \"scenario/1\", \"name\": \"shop\", \"seed\": 1, \"duration\": \"90m\",\n"
    "  \"params\": { \"cut\": \"20m\" },\n"
    "  \"members\": {\n"
    "    \"us\":   { \"region\": \"East US\", \"sku\": \"Balanced_B10\" },\n"
    "    \"eu\":   { \"region\": \"West Europe\", \"memory\": { \"max\": \"4GB\" } },\n"
    "    \"asia\": { \"region\": \"Southeast Asia\", \"memory\": { \"max\": \"4GB\" } }\n"
    "  },\n"
    "  \"links\": { \"us~eu\": { \"delay\": \"42ms\" } },\n"
    "  \"sites\": { \"web\": { \"home\": \"us\", \"clients\": 3 } },\n"
    "  \"families\": { \"cart\": { \"type\": \"hash\", \"keys\": 1000, \"value\": \"1kB\", "
    "\"ops\": { \"HGET\": 0.8, \"HSET\": 0.2 } } },\n"
    "  \"workloads\": { \"buy\": { \"site\": \"web\", \"rate\": \"50/s\", \"mix\": { \"cart\": 1 } "
    "} },\n"
    "  \"routing\": { \"select\": \"geo-nearest\", \"detect\": { \"kind\": \"ping-all\", "
    "\"interval\": \"2s\" } },\n"
    "  \"faults\": {\n"
    "    \"cut\": { \"at\": \"40m\", \"for\": \"$cut\", \"isolate\": \"asia\" },\n"
    "    \"slow\": { \"after\": \"cut\", \"wait\": \"1m\", \"for\": \"5m\", \"delay\": { \"link\": "
    "\"us~eu\", \"add\": \"50ms\" } }\n"
    "  },\n"
    "  \"alerts\": { \"full\": { \"when\": \"max(memory.used_pct) >= 80%\", \"for\": \"1m\", "
    "\"notify\": \"oncall\" } },\n"
    "  \"operators\": { \"oncall\": { \"ack\": \"5m\", \"decide\": \"10m\" } },\n"
    "  \"runbooks\": { \"drop\": { \"on\": \"full\", \"steps\": {\n"
    "    \"look\": { \"do\": \"wait\", \"for\": \"2m\" },\n"
    "    \"act\": { \"do\": \"force-unlink\", \"target\": \"asia\", \"after\": \"look\" } } } },\n"
    "  \"variants\": { \"busy\": { \"workloads\": { \"buy\": { \"rate\": \"90/s\" } } } },\n"
    "  \"expect\": { \"fits\": { \"that\": \"max(memory.used_pct) <= 75%\", \"phase\": \"all\", "
    "\"severity\": \"must\" } }\n"
    "}\n";

typedef struct {
    const char *instead_of, *mistake;
    const char *message;
} Mistake;

static const Mistake mistakes[] = {
    /* An unknown key, with the nearest one or the list. */
    {"\"seed\": 1", "\"sead\": 1", "shop.json:2:44: \"sead\" is unknown; did you mean \"seed\"?"},
    {"\"clients\": 3", "\"cliens\": 3",
     "shop.json:10:37: sites.web: \"cliens\" is unknown; did you mean \"clients\"?"},
    {"\"HGET\": 0.8", "\"HGET\": { \"share\": 0.8, \"block\": \"5s\" }",
     "shop.json:11:106: families.cart.ops.HGET: HGET waits for nothing; \"block\" is for BLPOP, "
     "BRPOP, BZPOPMIN, BZPOPMAX and XREAD"},
    /* What a command does not carry, and what would be 0 for ever. */
    {"\"HGET\": 0.8", "\"HGET\": { \"share\": 0.8, \"bytes\": \"5B\" }",
     "shop.json:11:115: families.cart.ops.HGET.bytes: HGET sends no value to the other members; "
     "drop "
     "\"bytes\""},
    {"\"HSET\": 0.2", "\"HSET\": { \"share\": 0.2, \"ttl\": \"5m\" }",
     "shop.json:11:126: families.cart.ops.HSET.ttl: HSET sets no time to live; drop \"ttl\", which "
     "is for operations such as SET and EXPIRE, or give it to the family"},
    {"\"HSET\": 0.2", "\"EXPIRE\": { \"share\": 0.2, \"ttl\": \"0s\" }",
     "shop.json:11:128: families.cart.ops.EXPIRE.ttl: keys would be gone as soon as they are "
     "written; drop \"ttl\" for the family's, or write at least 1ms"},
    {"\"keys\": 1000", "\"keys\": 1000, \"ttl\": \"0s\"",
     "shop.json:11:64: families.cart.ttl: keys would be gone as soon as they are written; drop "
     "\"ttl\" for keys that do not expire, or write at least 1ms"},
    {"\"delay\": \"42ms\"", "\"delay\": \"42ms\", \"bandwidth\": \"0Gbps\"",
     "shop.json:9:55: links.us~eu.bandwidth: \"0Gbps\" is too small; write at least 1B/s"},
    {"\"HSET\": 0.2", "\"EXPIRE\": 0.2",
     "shop.json:11:95: families.cart.ops: \"EXPIRE\" cannot work as a workload sends it, with one "
     "key and the family's sizes and times: without a ttl it deletes the key; give the family or "
     "this operation a \"ttl\" such as \"10m\""},
    {"\"clients\": 3", "\"colour\": 3",
     "shop.json:10:37: sites.web: \"colour\" is unknown; the keys here are home, region, clients, "
     "rtt, dns_rtt"},
    {"\"add\": \"50ms\"", "\"ad\": \"50ms\"",
     "shop.json:16:86: faults.slow.delay: \"ad\" is unknown; did you mean \"add\"?"},
    {"\"for\": \"1m\"", "\"during\": \"1m\"",
     "shop.json:18:64: alerts.full: \"during\" is unknown; the keys here are when, for, every, "
     "notify"},
    /* An unknown plug-in, of each family. */
    {"\"isolate\": \"asia\"", "\"isolat\": \"asia\"",
     "shop.json:15:42: faults.cut: \"isolat\" is unknown; did you mean \"isolate\"?"},
    {"\"isolate\": \"asia\"", "\"explode\": \"asia\"",
     "shop.json:15:42: faults.cut: \"explode\" is unknown; the keys here are at, after, wait, for, "
     "hidden, crash, delay, isolate, partition"},
    {"\"geo-nearest\"", "\"nearest\"",
     "shop.json:13:26: routing.select: \"nearest\" is not a selector; known: pin, geo-nearest, "
     "priority"},
    {"\"ping-all\"", "\"ping-al\"",
     "shop.json:13:61: routing.detect.kind: \"ping-al\" is not a detector; did you mean "
     "\"ping-all\"? Known: none, ping-all, dns-tm"},
    {"\"force-unlink\"", "\"reboot\"",
     "shop.json:22:20: runbooks.drop.steps.act.do: \"reboot\" is not an operator verb; known: "
     "force-unlink, note, redirect, restore-routing, verify, wait"},
    {"\"50ms\"", "{ \"gamma\": { \"mean\": \"50ms\" } }",
     "shop.json:16:95: faults.slow.delay.add: \"gamma\" is not a distribution; known: empirical, "
     "exp, lognormal, mix, normal, pareto, shift, uniform"},
    {"\"ops\": {", "\"popularity\": { \"zpf\": 0.9 }, \"ops\": {",
     "shop.json:11:89: families.cart.popularity: \"zpf\" is not a popularity; did you mean "
     "\"zipf\"? Known: hotset, latest, uniform, zipf"},
    {"\"HSET\": 0.2", "\"HSETT\": 0.2",
     "shop.json:11:95: families.cart.ops: \"HSETT\" is not a command of this version; did you mean "
     "\"HSET\"?"},
    /* Commands that only fail for want of what a workload does not give. */
    {"\"HSET\": 0.2", "\"RENAME\": 0.2",
     "shop.json:11:95: families.cart.ops: \"RENAME\" cannot work as a workload sends it, with one "
     "key and the family's sizes and times: ERR wrong number of arguments for 'rename' command; "
     "take another command"},
    /* Parts of what has none. */
    {"\"type\": \"hash\", \"keys\": 1000, \"value\": \"1kB\", \"ops\": { \"HGET\": 0.8, \"HSET\": "
     "0.2",
     "\"type\": \"json\", \"keys\": 1000, \"fields\": 4, \"ops\": { \"JSON.GET\": 0.2",
     "shop.json:11:67: families.cart.fields: a key of type json is one value without parts; drop "
     "\"fields\", or take \"hash\""},
    {"\"type\": \"hash\", \"keys\": 1000, \"value\": \"1kB\", \"ops\": { \"HGET\": 0.8, \"HSET\": "
     "0.2",
     "\"type\": \"string\", \"keys\": 1000, \"fields\": 4, \"ops\": { \"GET\": 0.2",
     "shop.json:11:69: families.cart.fields: a key of type string is one value without parts; drop "
     "\"fields\", or take \"hash\""},
    {"\"type\": \"hash\", \"keys\": 1000, \"value\": \"1kB\", \"ops\": { \"HGET\": 0.8, \"HSET\": "
     "0.2",
     "\"type\": \"counter\", \"keys\": 1000, \"fields\": 4, \"ops\": { \"INCR\": 0.2",
     "shop.json:11:70: families.cart.fields: a key of type counter is one value without parts; "
     "drop \"fields\", or take \"hash\""},
    {"\"type\": \"hash\", \"keys\": 1000, \"value\": \"1kB\", \"ops\": { \"HGET\": 0.8, \"HSET\": "
     "0.2",
     "\"type\": \"external\", \"keys\": 1000, \"fields\": 4, \"ops\": { \"READ\": 0.2",
     "shop.json:11:71: families.cart.fields: a key of type external is one value without parts; "
     "drop \"fields\", or take \"hash\""},
    {"\"type\": \"hash\", \"keys\": 1000, \"value\": \"1kB\", \"ops\": { \"HGET\": 0.8, \"HSET\": "
     "0.2",
     "\"type\": \"set\", \"keys\": 1000, \"field_size\": \"4B\", \"ops\": { \"SADD\": 0.2",
     "shop.json:11:70: families.cart.field_size: keys of type set have no fields with names; drop "
     "\"field_size\", or take \"hash\""},
    {"\"HGET\": 0.8", "\"HGET\": { \"share\": 0.8, \"fields\": 2 }",
     "shop.json:11:116: families.cart.ops.HGET.fields: HGET does not name several elements; drop "
     "\"fields\", which is for operations such as HMGET, HSET and SADD"},
    {"\"HGET\": 0.8", "\"HGETALL\": { \"share\": 0.8, \"fields\": 2 }",
     "shop.json:11:119: families.cart.ops.HGETALL.fields: HGETALL does not name several elements; "
     "drop \"fields\", which is for operations such as HMGET, HSET and SADD"},
    {"\"HGET\": 0.8", "\"HMGET\": { \"share\": 0.8, \"fields\": 11 }",
     "shop.json:11:117: families.cart.ops.HMGET.fields: 11 elements of keys that have 10; lower "
     "it, or raise \"fields\" of the family"},
    {"\"HSET\": 0.2", "\"hset\": 0.2",
     "shop.json:11:95: families.cart.ops: \"hset\" is not how commands are written; did you mean "
     "\"HSET\"?"},
    {"\"routing\": {", "\"routing\": { \"preset\": \"jedi\",",
     "shop.json:13:26: routing.preset: no preset is called \"jedi\"; did you mean \"jedis\"?"},
    /* A fault spelled as other choices are. */
    {"\"isolate\": \"asia\"", "\"kind\": \"isolate\"",
     "shop.json:15:42: faults.cut: \"kind\" is unknown; what a fault does is a key of its own: "
     "write \"<name>\": { \"at\": ..., \"isolate\": ... }"},
    {"\"isolate\": \"asia\"", "\"kind\": \"explode\"",
     "shop.json:15:42: faults.cut: \"kind\" is unknown; what a fault does is a key of its own: "
     "write \"<name>\": { \"at\": ..., \"<verb>\": ... }; <verb> is one of crash, delay, isolate, "
     "partition"},
    /* A type by the name Redis has for what it holds. */
    {"\"type\": \"hash\"", "\"type\": \"hyperloglog\"",
     "shop.json:11:35: families.cart.type: \"hyperloglog\" is unknown; write \"hll\" for it"},
    {"\"type\": \"hash\"", "\"type\": \"bitmap\"",
     "shop.json:11:35: families.cart.type: \"bitmap\" is unknown; write \"string\" for it"},
    /* A missing unit, which the default or the range tells. */
    {"\"value\": \"1kB\"", "\"value\": 1000",
     "shop.json:11:66: families.cart.value: 1000 has no unit; write a size such as \"1000B\""},
    {"{ \"max\": \"4GB\" }", "{ \"max\": \"4GB\", \"key_header\": 160 }",
     "shop.json:6:80: members.eu.memory.key_header: 160 has no unit; write a size such as "
     "\"160B\""},
    {"\"42ms\"", "42",
     "shop.json:9:34: links.us~eu.delay: 42 has no unit; write a duration such as \"42s\""},
    {"\"4GB\"", "4",
     "shop.json:6:59: members.eu.memory.max: 4 has no unit; write a size such as \"4GB\""},
    {"\"50/s\"", "50",
     "shop.json:12:50: workloads.buy.rate: 50 has no unit; write a rate such as \"50/s\""},
    {"\"90m\"", "90", "shop.json:2:67: duration: 90 has no unit; write a duration such as \"90s\""},
    {"\"42ms\"", "\"42\"",
     "shop.json:9:34: links.us~eu.delay: \"42\" has no unit; write a duration such "
     "as \"42s\""},
    {"\"42ms\"", "\"42 parsecs\"",
     "shop.json:9:34: links.us~eu.delay: \"42 parsecs\" is not a duration or a distribution of "
     "durations; write one such as \"85ms\""},
    /* A wrong type. */
    {"\"isolate\": \"asia\"", "\"isolate\": 3",
     "shop.json:15:53: faults.cut.isolate: 3 is not an id; write one such as \"us-east\""},
    {"\"clients\": 3", "\"clients\": \"three\"",
     "shop.json:10:48: sites.web.clients: \"three\" is not a count; write one such as \"27M\""},
    {"\"clients\": 3", "\"clients\": [3]",
     "shop.json:10:48: sites.web.clients: a list is not a count; write one such as \"27M\""},
    {"\"clients\": 3", "\"clients\": 2.5",
     "shop.json:10:48: sites.web.clients: 2.5 is not a count; write one such as \"27M\""},
    {"\"sites\": { \"web\": { \"home\": \"us\", \"clients\": 3 } }", "\"sites\": 3",
     "shop.json:10:12: sites: 3 is not an object; write one such as {...}"},
    {"\"HSET\": 0.2", "\"HSET\": \"often\"",
     "shop.json:11:103: families.cart.ops.HSET: \"often\" is not a share; write one such as "
     "\"5%\""},
    {"\"name\": \"shop\"", "\"name\": null",
     "shop.json:2:36: name: null is not an id; write one such as \"us-east\""},
    {"\"steps\": {\n    \"look\"", "\"steps\": [],\n    \"x\": {\"look\"",
     "shop.json:20:50: runbooks.drop.steps: a list is not an object; write one such as {...}"},
    /* An unknown region or SKU. */
    {"\"East US\"", "\"East UK\"",
     "shop.json:5:25: members.us.region: no region is called \"East UK\"; did you mean \"East "
     "US\"?"},
    {"\"East US\"", "\"Moon\"",
     "shop.json:5:25: members.us.region: no region is called \"Moon\"; write one of those in "
     "scenarios/data/regions.csv, such as \"East US\""},
    {"\"Balanced_B10\"", "\"Balanced_B11\"",
     "shop.json:5:43: members.us.sku: no SKU is called \"Balanced_B11\"; did you mean "
     "\"Balanced_B1\"?"},
    {"\"Balanced_B10\"", "\"Tiny\"",
     "shop.json:5:43: members.us.sku: no SKU is called \"Tiny\"; write one of those in "
     "scenarios/data/skus.csv, such as \"Balanced_B10\""},
    {"\"Balanced_B10\"", "\"Balanced_B0\"",
     "shop.json:5:43: members.us.sku: Balanced_B0 cannot be a member of a group; take another SKU "
     "(see how-to-active-geo-replication)"},
    /* Six members. */
    {"\"asia\": { \"region\"", "\"m4\": {}, \"m5\": {}, \"m6\": {}, \"asia\": { \"region\"",
     "shop.json:4:14: members: 6 entries here; write at most 5"},
    /* Negative and empty amounts. */
    {"\"50/s\"", "\"-50/s\"",
     "shop.json:12:50: workloads.buy.rate: \"-50/s\" is negative; write a rate such as \"5k/s\""},
    {"\"50/s\"", "\"0/s\"",
     "shop.json:12:50: workloads.buy.rate: \"0/s\" is too small; write a value from 0.000001/s to "
     "1G/s"},
    {"\"keys\": 1000", "\"keys\": -5",
     "shop.json:11:51: families.cart.keys: -5 is negative; write a count such as 27 or \"27M\""},
    {"\"keys\": 1000", "\"keys\": 0",
     "shop.json:11:51: families.cart.keys: 0 is too small; write a value from 1 to 10000000000"},
    {"\"4GB\"", "\"-4GB\"",
     "shop.json:6:59: members.eu.memory.max: \"-4GB\" is negative; write a size such as \"24GB\""},
    {"\"cart\": 1", "\"cart\": 0",
     "shop.json:12:65: workloads.buy.mix: the shares add up to 0; give one family a share"},
    {"\"add\": \"50ms\"", "\"add\": \"-50ms\"",
     "shop.json:16:93: faults.slow.delay.add: \"-50ms\" is negative; write a duration or a "
     "distribution of durations such as \"85ms\""},
    /* A link to nowhere. */
    {"\"us~eu\": {", "\"us~uk\": {",
     "shop.json:9:23: links.us~uk: no member is called \"uk\"; did you mean \"us\"?"},
    {"\"us~eu\": {", "\"us~us\": {",
     "shop.json:9:23: links.us~us: \"us~us\" links a member to itself; name two members"},
    {"\"us~eu\": {", "\"us-eu\": {",
     "shop.json:9:14: links: \"us-eu\" is not a key for links; it must match "
     "^(\\*|[a-z][a-z0-9-]*~[a-z][a-z0-9-]*)$"},
    {"\"us~eu\": { \"delay\": \"42ms\" }", "\"us~eu\": { \"delay\": \"42ms\" }, \"eu~us\": {}",
     "shop.json:9:53: links.eu~us: this pair is given twice; keep one of eu~us and us~eu"},
    {"\"us~eu\", \"add\"", "\"us~mars\", \"add\"",
     "shop.json:16:67: faults.slow.delay: no member is called \"mars\"; there are us, eu, asia"},
    {"\"region\": \"West Europe\", ", "",
     "shop.json:4:14: members: the delay between eu and asia is unknown; give links.eu~asia.delay "
     "or both regions"},
    /* A fault past the end. */
    {"\"cut\": \"20m\"", "\"cut\": \"75m\"",
     "shop.json:15:34: faults.cut.for: \"75m\" ends at 1h55m, past the run's end (1h30m); shorten "
     "it or raise duration"},
    {"\"at\": \"40m\"", "\"at\": \"2h\"",
     "shop.json:15:12: faults.cut: begins at 2h, past the run's end (1h30m); shorten it or raise "
     "duration"},
    {"\"wait\": \"1m\"", "\"wait\": \"1h\"",
     "shop.json:16:13: faults.slow: begins at 2h, past the run's end (1h30m); shorten it or raise "
     "duration"},
    /* Faults and steps that follow each other in a circle, or nothing. */
    {"\"at\": \"40m\"", "\"after\": \"slow\"",
     "shop.json:16:24: faults.slow.after: the faults follow each other in a circle; give one of "
     "them \"at\""},
    {"\"at\": \"40m\"", "\"after\": \"cut\"",
     "shop.json:15:23: faults.cut.after: the faults follow each other in a circle; give one of "
     "them \"at\""},
    {"\"after\": \"cut\"", "\"after\": \"cutt\"",
     "shop.json:16:24: faults.slow.after: no fault is called \"cutt\"; did you mean \"cut\"?"},
    {"\"after\": \"cut\"", "\"at\": \"1m\", \"after\": \"cut\"",
     "shop.json:16:13: faults.slow: both \"at\" and \"after\"; keep one"},
    {"\"at\": \"40m\", ", "", "shop.json:15:12: faults.cut: no time; give \"at\" or \"after\""},
    {"\"for\": \"2m\" }", "\"for\": \"2m\", \"after\": \"act\" }",
     "shop.json:21:51: runbooks.drop.steps.look.after: the steps follow each other in a circle; "
     "one of them must come first"},
    {"\"after\": \"look\"", "\"after\": \"lok\"",
     "shop.json:22:63: runbooks.drop.steps.act.after: no step of this runbook is called \"lok\"; "
     "did you mean \"look\"?"},
    /* Expectations: unknown names, mixed units. */
    {"max(memory.used_pct) <= 75%", "max(memory.used_pkt) <= 75%",
     "shop.json:24:38: expect.fits.that: unknown metric \"memory.used_pkt\"; did you mean "
     "\"memory.used_pct\"?"},
    {"max(memory.used_pct) <= 75%", "max(happiness) <= 75%",
     "shop.json:24:38: expect.fits.that: unknown metric \"happiness\"; \"quintet list metrics\" "
     "names them"},
    {"max(memory.used_pct) <= 75%", "max(memory.used) <= 75ms",
     "shop.json:24:51: expect.fits.that: compares bytes with time: \"max(memory.used)\" and "
     "\"75ms\"; both sides need the same unit"},
    {"max(memory.used_pct) <= 75%", "max(memory.used) <= 75",
     "shop.json:24:51: expect.fits.that: compares bytes with a plain number: \"max(memory.used)\" "
     "and \"75\"; both sides need the same unit"},
    {"max(memory.used_pct) <= 75%", "max(memory.used_pct) + 3ms <= 75%",
     "shop.json:24:55: expect.fits.that: adds a plain number and time: \"max(memory.used_pct)\" "
     "and \"3ms\"; both need the same unit"},
    {"max(memory.used_pct) <= 75%", "max(memory.used_pct{member=us2}) <= 75%",
     "shop.json:24:61: expect.fits.that: unknown member \"us2\"; did you mean \"us\"?"},
    {"max(memory.used_pct) <= 75%", "max(memory.used_pct{site=web}) <= 75%",
     "shop.json:24:54: expect.fits.that: memory.used_pct has no label \"site\"; known: member, "
     "phase, variant"},
    {"max(memory.used_pct) <= 75%", "sum(memory.used_pct) <= 75%",
     "shop.json:24:34: expect.fits.that: no \"sum\" of memory.used_pct: that is a gauge; it has "
     "p50, p90, p95, p99, p999, mean, max, min, last and first"},
    {"max(memory.used_pct) <= 75%", "maximum(memory.used_pct) <= 75%",
     "shop.json:24:34: expect.fits.that: unknown statistic \"maximum\"; known: p50, p90, p95, p99, "
     "p999, mean, max, min, sum, count, rate, last, first"},
    {"max(memory.used_pct) <= 75%", "max(memory.used_pct) <= $limit",
     "shop.json:24:33: expect.fits.that: \"$limit\" is not in params; add it there"},
    {"max(memory.used_pct) <= 75%", "max(memory.used_pct)",
     "shop.json:24:54: expect.fits.that: expected a comparison (<, <=, >, >=, ==, != or \"within "
     "5% of\"), found the end"},
    {"\"phase\": \"all\"", "\"phase\": \"fault:cutt\"",
     "shop.json:24:73: expect.fits.phase: no phase is called \"fault:cutt\"; did you mean "
     "\"fault:cut\"?"},
    {"\"phase\": \"all\"", "\"phase\": \"all\", \"variant\": \"bussy\"",
     "shop.json:24:91: expect.fits.variant: no variant is called \"bussy\"; did you mean "
     "\"busy\"?"},
    {"\"severity\": \"must\"", "\"severity\": \"shall\"",
     "shop.json:24:92: expect.fits.severity: \"shall\" is unknown; did you mean \"should\"?"},
    {"\"phase\": \"all\", ", "",
     "shop.json:24:23: expect.fits: \"phase\" is missing; write, for example, \"phase\": \"all\" "
     "or "
     "\"fault:<id>\""},
    {", \"severity\": \"must\"", "",
     "shop.json:24:23: expect.fits: \"severity\" is missing; write, for example, \"severity\": "
     "\"must\""},
    /* Names that nothing declares. */
    {"\"home\": \"us\"", "\"home\": \"uk\"",
     "shop.json:10:31: sites.web.home: no member is called \"uk\"; did you mean \"us\"?"},
    {"\"site\": \"web\"", "\"site\": \"wab\"",
     "shop.json:12:35: workloads.buy.site: no site is called \"wab\"; did you mean \"web\"?"},
    {"\"cart\": 1", "\"card\": 1",
     "shop.json:12:75: workloads.buy.mix.card: no family is called \"card\"; did you mean "
     "\"cart\"?"},
    {"\"notify\": \"oncall\"", "\"notify\": \"nobody\"",
     "shop.json:18:87: alerts.full.notify: no operator is called \"nobody\"; declare it or name "
     "one that exists"},
    {"\"on\": \"full\"", "\"on\": \"fill\"",
     "shop.json:20:33: runbooks.drop.on: no alert is called \"fill\"; did you mean \"full\"?"},
    {"\"target\": \"asia\"", "\"target\": \"asai\"",
     "shop.json:22:46: runbooks.drop.steps.act.target: no member is called \"asai\"; did you mean "
     "\"asia\"?"},
    {"\"$cut\"", "\"$cat\"",
     "shop.json:15:34: faults.cut.for: \"$cat\" is not in params; did you mean \"$cut\"?"},
    /* The file itself: truncated, keys twice, not UTF-8, not JSON. */
    {"\"severity\": \"must\" } }\n}", "\"severity\": \"must\" }",
     "shop.json:25:1: the file ends inside the object that begins at line 24, column 13; is it "
     "truncated? \"}\" is missing"},
    {"\"phase\": \"all\", \"severity\": \"must\" } }\n}\n", "\"phase\": \"al",
     "shop.json:24:73: the file ends inside this text; is it truncated?"},
    {"\"seed\": 1", "\"seed\": 1, \"seed\": 2",
     "shop.json:2:55: \"seed\" is given twice, first at line 2, column 44; keep one"},
    {"\"eu\":   {", "\"us\":   {",
     "shop.json:6:5: members: \"us\" is given twice, first at line 5, column 5; keep one"},
    {"\"shop\"",
     "\"sh\xff"
     "op\"",
     "shop.json:2:39: byte 0xff is not valid UTF-8; save the file as UTF-8"},
    {"\"duration\": \"90m\"", "\"duration\": \"90m\",,",
     "shop.json:2:73: found \",\"; a key in double quotes belongs here"},
    {"\"seed\": 1", "\"seed\": 01",
     "shop.json:2:52: found \"01\"; write a number like 12, 0.5 or 2e6, and a quantity with its "
     "unit in quotes, like \"85ms\""},
    {"\"seed\": 1", "\"seed\": 1 /* one */",
     "shop.json:2:54: found a comment; JSON has none, write an \"about\" key"},
    {"scenario/1", "scenario/2",
     "shop.json:2:14: quintet: \"scenario/2\" is unknown; did you mean \"scenario/1\"?"},
    /* What would otherwise be silently without effect. */
    {"\"clients\": 3", "\"clients\": 3, \"rtt\": { \"us\": \"2ms\", \"eus\": \"80ms\" }",
     "shop.json:10:73: sites.web.rtt: no member is called \"eus\"; did you mean \"us\"?"},
    {"max(memory.used_pct) >= 80%", "max(cpu) >= 80%",
     "shop.json:18:13: alerts: cpu is not measured by this version; `quintet list metrics` says "
     "what is"},
    {"max(memory.used_pct) <= 75%", "count(anomaly.A14) == 0",
     "shop.json:24:33: expect.fits.that: anomaly.A14 is not measured by this version; `quintet "
     "list metrics` says what is"},
    {"\"ops\": { \"HGET\": 0.8", "\"prefill\": \"steady\", \"ops\": { \"HDEL\": 0.8",
     "shop.json:11:84: families.cart.prefill: with HDEL there is no closed form for which keys "
     "exist in the long run; write a share such as \"90%\""},
    {"\"busy\": {", "\"base\": {",
     "shop.json:23:17: variants: \"base\" is the scenario itself; give the variant another name"},
    /* A variant is checked like the base, also when nobody runs it, and the message says which. */
    {"{ \"workloads\": { \"buy\": { \"rate\": \"90/s\" } } }",
     "{ \"workloads\": { \"buy\": { \"rat\": \"90/s\" } } }",
     "in variant busy: shop.json:23:51: variants.busy.workloads.buy: \"rat\" is unknown; did you "
     "mean \"rate\"?"},
    {"{ \"workloads\": { \"buy\": { \"rate\": \"90/s\" } } }",
     "{ \"workloads\": { \"buy\": { \"rate\": 90 } } }",
     "in variant busy: shop.json:23:59: variants.busy.workloads.buy.rate: 90 has no unit; write a "
     "rate such as \"90/s\""},
    {"{ \"workloads\": { \"buy\": { \"rate\": \"90/s\" } } }",
     "{ \"members\": { \"asia\": null } }",
     "in variant busy: shop.json:15:53: faults.cut.isolate: no member is called \"asia\"; there "
     "are us, eu"},
    {"{ \"workloads\": { \"buy\": { \"rate\": \"90/s\" } } }",
     "{ \"params\": { \"cut\": \"2h\" } }",
     "in variant busy: shop.json:15:34: faults.cut.for: \"2h\" ends at 2h40m, past the run's end "
     "(1h30m); shorten it or raise duration"},
    {"{ \"workloads\": { \"buy\": { \"rate\": \"90/s\" } } }", "3",
     "shop.json:23:25: variants.busy: a variant is an object that patches the document; write "
     "{...}"},
};

static char *make_mistake(const Mistake *mistake)
{
    const char *at = strstr(good, mistake->instead_of);

    EXPECT_FATAL(at != NULL);
    return g_strdup_printf("%.*s%s%s", (int)(at - good), good, mistake->mistake,
                           at + strlen(mistake->instead_of));
}

/* The message, NULL when it loads. */
static char *refusal(const char *text, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenarioFile) file = scenario_file_load(
        &(ScenarioSource){.file = "shop.json", .text = text, .size = size}, &error);

    if (error) {
        EXPECT(!file);
        EXPECT(g_error_matches(error, QUINTET_ERROR, QUINTET_ERROR_INPUT));
    }
    return error ? g_strdup(error->message) : NULL;
}

static void test_the_file_without_a_mistake_loads(void)
{
    g_autofree char *message = refusal(good, sizeof good - 1);

    EXPECT_TEXT(message, NULL);
}

static void test_each_mistake_is_told_in_words(void)
{
    for (uint32_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autofree char *text = make_mistake(&mistakes[i]);
        g_autofree char *message = refusal(text, strlen(text));

        EXPECT_TEXT(message, mistakes[i].message);
    }
}

/* Every file cut short is refused, wherever it was cut; some by what is missing. */
static void test_no_prefix_of_a_file_loads(void)
{
    for (size_t size = 0; size < sizeof good - 3; size += (size_t)test_count(13, 1)) {
        g_autofree char *message = refusal(good, size);

        EXPECT(message != NULL);
        EXPECT(message && g_str_has_prefix(message, "shop.json:"));
    }
}

static void test_too_large_is_refused_unread(void)
{
    size_t size = 16 * 1024 * 1024 + 1;
    g_autofree char *text = g_malloc(size);
    g_autofree char *message = NULL;

    memset(text, ' ', size);
    memcpy(text, good, sizeof good - 1);
    message = refusal(text, size);
    EXPECT_TEXT(message, "shop.json:1:1: the file is larger than 16 MB; make it smaller");
    g_free(g_steal_pointer(&message));
    message = refusal(text, size - 1);
    EXPECT_TEXT(message, NULL);
}

/* 64 levels are read (and then not understood), 65 are not. */
static void test_too_deep_is_refused(void)
{
    static const char *const expected[] = {
        "shop.json:1:2: \"x\" is unknown here; remove it",
        "shop.json:1:70: nested deeper than 64 levels; flatten the document",
    };

    for (size_t lists = 63; lists <= 64; lists++) {
        g_autofree char *open = g_strnfill(lists, '['), *close = g_strnfill(lists, ']');
        g_autofree char *text = g_strdup_printf("{\"x\": %s%s}", open, close);
        g_autofree char *message = refusal(text, strlen(text));

        EXPECT_TEXT(message, expected[lists - 63]);
    }
}

static void test_not_an_object_and_empty(void)
{
    g_autofree char *list = refusal("[]", 2);
    g_autofree char *empty = refusal("", 0);

    EXPECT_TEXT(list, "shop.json:1:1: a scenario is an object; write {\"quintet\": "
                      "\"scenario/1\", ...}");
    EXPECT_TEXT(empty, "shop.json:1:1: the file is empty; write one JSON value");
}

/* `quintet WORDS` in folder; its errors in *out_errors. */
static int program(const char *folder, const char *words, char **out_errors)
{
    g_autofree char *errors = g_build_filename(folder, "errors", NULL);
    g_autofree char *line = g_strconcat("quintet ", words, NULL);
    pid_t child;
    int status = 0;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        char **argv = g_strsplit(line, " ", -1);
        int file = open(errors, O_CREAT | O_TRUNC | O_WRONLY, 0600);
        int code = 99;

        if (chdir(folder) == 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0)
            code = (int)subcommand_main((int)g_strv_length(argv), argv);
        fflush(NULL);
        _exit(code);
    }
    EXPECT_INT(waitpid(child, &status, 0), child);
    EXPECT(g_file_get_contents(errors, out_errors, NULL, NULL));
    g_unlink(errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static uint32_t file_count(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    uint32_t count = 0;

    while (dir && g_dir_read_name(dir))
        count++;
    if (dir)
        g_dir_close(dir);
    return count;
}

/* The message once, exit code 2, and no file that was not there before. */
static void test_the_program_ends_with_2_and_writes_nothing(void)
{
    g_autofree char *folder = g_dir_make_tmp("quintet-errors-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "shop.json", NULL);

    for (uint32_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autofree char *text = make_mistake(&mistakes[i]);
        g_autofree char *expected = g_strdup_printf("quintet: %s\n", mistakes[i].message);
        g_autofree char *run = NULL, *check = NULL;

        EXPECT(g_file_set_contents(path, text, -1, NULL));
        EXPECT_INT(program(folder, "run shop.json --out x.db", &run), 2);
        EXPECT_TEXT(run, expected);
        EXPECT_INT(program(folder, "check shop.json", &check), 2);
        EXPECT_TEXT(check, expected);
        EXPECT_INT(file_count(folder), 1);
    }
    g_unlink(path);
    g_rmdir(folder);
}

static const TestCase cases[] = {
    TEST(test_the_file_without_a_mistake_loads),
    TEST(test_each_mistake_is_told_in_words),
    TEST(test_no_prefix_of_a_file_loads),
    TEST(test_too_large_is_refused_unread),
    TEST(test_too_deep_is_refused),
    TEST(test_not_an_object_and_empty),
    TEST(test_the_program_ends_with_2_and_writes_nothing),
};
TEST_MAIN("scenario errors", cases)
