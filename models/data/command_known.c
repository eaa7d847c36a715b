/* Why it works: one table in the order of names says for each what the documents of the product
 * say; whether the program has it is asked of the groups, so that a command that is added leaves
 * "later" by itself.
 *
 * Names: COMMAND LIST of redis-server 7.0.15 (Debian), and the commands of the JSON module.
 * Reasons: redis/docs, operate/rs/references/compatibility/commands/ (the column Active-Active).
 * The documents give no text for the error of a blocked command; it is built here as
 * "ERR NAME is refused: REASON".
 */
#include "models/data/command_known.h"

#include <glib.h>
#include <string.h>

#define PAGES "operate/rs/references/compatibility/commands/"

typedef struct {
    const char *reason;
    const char *page; /* of redis/docs; "": it is this model that has no use for it */
} Refusal;

typedef enum {
    OFFERED, /* not refused */
    ACCESS,
    ACL,
    CLIENT,
    CLUSTER,
    CONNECTION,
    DATABASES,
    ENCODING,
    FLUSH,
    HLL,
    JSON_DEBUG,
    MANAGED,
    MIGRATE,
    MODULE,
    MONITORING,
    OSS_API,
    PERSISTENCE,
    REPLICATION,
    RESTORE,
    SCRIPTS,
    SCRIPT_DEBUG,
    SERVER,
    SUBSTR,
    WAIT,
} RefusalKind;

static const Refusal refusals[] = {
    [ACCESS] = {"the product has it, but the model keeps no access times", ""},
    [ACL] = {"the product blocks it: access is managed by its own tools", PAGES "server.md"},
    [CLIENT] = {"the product does not support it", PAGES "connection.md"},
    [CLUSTER] = {"the product blocks it: its clusters are managed by its own tools",
                 PAGES "cluster.md"},
    [CONNECTION] = {"the product has it, but the model has no connections it could act on", ""},
    [DATABASES] = {"the product has no numbered databases and blocks what is about them",
                   PAGES "generic.md"},
    [ENCODING] = {"an active-active database has CRDT.DEBUG ENCODING in its place",
                  PAGES "generic.md"},
    [FLUSH] = {"an active-active database is flushed by a management call, at all members at once",
               PAGES "server.md"},
    [HLL] = {"the product does not support it", PAGES "data-types.md"},
    [JSON_DEBUG] = {"the product has it, but the model counts bytes by key and cause, not by value",
                    ""},
    [MANAGED] = {"the product blocks it: its servers are managed by its own tools",
                 PAGES "server.md"},
    [MIGRATE] = {"the product does not support it", PAGES "generic.md"},
    [MODULE] = {"the product blocks it: its modules are managed by its own tools",
                PAGES "server.md"},
    [MONITORING] = {"the product does not support it: its own metrics stand in its place",
                    PAGES "server.md"},
    [OSS_API] = {"the product has it with the OSS cluster API only, which the model does not have",
                 PAGES "cluster.md"},
    [PERSISTENCE] = {"the product blocks it: persistence is managed by its own tools",
                     PAGES "server.md"},
    [REPLICATION] = {"the product blocks it: it manages replication itself", PAGES "server.md"},
    [RESTORE] = {"an active-active database restores keys of modules only", PAGES "generic.md"},
    [SCRIPTS] = {"the product has it, but this version runs no scripts and no functions", ""},
    [SCRIPT_DEBUG] = {"the product does not support it", PAGES "scripting.md"},
    [SERVER] = {"the product has it, but it is about a server, which the model does not have", ""},
    [SUBSTR] = {"the product does not support it; GETRANGE does the same", PAGES "data-types.md"},
    [WAIT] = {"an active-active database does not wait for its other members", PAGES "generic.md"},
};

typedef struct {
    const char *name;
    RefusalKind refusal;
} KnownName;

/* clang-format off */
static const KnownName names[] = {
    {"acl", SERVER},
    {"acl|cat", SERVER},
    {"acl|deluser", ACL},
    {"acl|dryrun", SERVER},
    {"acl|genpass", ACL},
    {"acl|getuser", SERVER},
    {"acl|help", SERVER},
    {"acl|list", SERVER},
    {"acl|load", ACL},
    {"acl|log", ACL},
    {"acl|save", ACL},
    {"acl|setuser", ACL},
    {"acl|users", SERVER},
    {"acl|whoami", SERVER},
    {"append", OFFERED},
    {"asking", CLUSTER},
    {"auth", CONNECTION},
    {"bgrewriteaof", PERSISTENCE},
    {"bgsave", PERSISTENCE},
    {"bitcount", OFFERED},
    {"bitfield", OFFERED},
    {"bitfield_ro", OFFERED},
    {"bitop", OFFERED},
    {"bitpos", OFFERED},
    {"blmove", OFFERED},
    {"blmpop", OFFERED},
    {"blpop", OFFERED},
    {"brpop", OFFERED},
    {"brpoplpush", OFFERED},
    {"bzmpop", OFFERED},
    {"bzpopmax", OFFERED},
    {"bzpopmin", OFFERED},
    {"client", CONNECTION},
    {"client|caching", CLIENT},
    {"client|getname", CONNECTION},
    {"client|getredir", CLIENT},
    {"client|help", CONNECTION},
    {"client|id", CONNECTION},
    {"client|info", CONNECTION},
    {"client|kill", CONNECTION},
    {"client|list", CONNECTION},
    {"client|no-evict", CLIENT},
    {"client|pause", CLIENT},
    {"client|reply", CLIENT},
    {"client|setname", CONNECTION},
    {"client|tracking", CLIENT},
    {"client|trackinginfo", CLIENT},
    {"client|unblock", CONNECTION},
    {"client|unpause", CLIENT},
    {"cluster", OSS_API},
    {"cluster|addslots", CLUSTER},
    {"cluster|addslotsrange", CLUSTER},
    {"cluster|bumpepoch", CLUSTER},
    {"cluster|count-failure-reports", CLUSTER},
    {"cluster|countkeysinslot", CLUSTER},
    {"cluster|delslots", CLUSTER},
    {"cluster|delslotsrange", CLUSTER},
    {"cluster|failover", CLUSTER},
    {"cluster|flushslots", CLUSTER},
    {"cluster|forget", CLUSTER},
    {"cluster|getkeysinslot", CLUSTER},
    {"cluster|help", OSS_API},
    {"cluster|info", OSS_API},
    {"cluster|keyslot", OSS_API},
    {"cluster|links", CLUSTER},
    {"cluster|meet", CLUSTER},
    {"cluster|myid", CLUSTER},
    {"cluster|nodes", OSS_API},
    {"cluster|replicas", CLUSTER},
    {"cluster|replicate", CLUSTER},
    {"cluster|reset", CLUSTER},
    {"cluster|saveconfig", CLUSTER},
    {"cluster|set-config-epoch", CLUSTER},
    {"cluster|setslot", CLUSTER},
    {"cluster|shards", CLUSTER},
    {"cluster|slaves", CLUSTER},
    {"cluster|slots", OSS_API},
    {"command", SERVER},
    {"command|count", SERVER},
    {"command|docs", SERVER},
    {"command|getkeys", SERVER},
    {"command|getkeysandflags", SERVER},
    {"command|help", SERVER},
    {"command|info", SERVER},
    {"command|list", SERVER},
    {"config", SERVER},
    {"config|get", SERVER},
    {"config|help", SERVER},
    {"config|resetstat", MANAGED},
    {"config|rewrite", SERVER},
    {"config|set", SERVER},
    {"copy", OFFERED},
    {"dbsize", OFFERED},
    {"debug", MANAGED},
    {"decr", OFFERED},
    {"decrby", OFFERED},
    {"del", OFFERED},
    {"discard", OFFERED},
    {"dump", OFFERED},
    {"echo", OFFERED},
    {"eval", SCRIPTS},
    {"eval_ro", SCRIPTS},
    {"evalsha", SCRIPTS},
    {"evalsha_ro", SCRIPTS},
    {"exec", OFFERED},
    {"exists", OFFERED},
    {"expire", OFFERED},
    {"expireat", OFFERED},
    {"expiretime", OFFERED},
    {"failover", REPLICATION},
    {"fcall", SCRIPTS},
    {"fcall_ro", SCRIPTS},
    {"flushall", FLUSH},
    {"flushdb", FLUSH},
    {"function", SCRIPTS},
    {"function|delete", SCRIPTS},
    {"function|dump", SCRIPTS},
    {"function|flush", SCRIPTS},
    {"function|help", SCRIPTS},
    {"function|kill", SCRIPTS},
    {"function|list", SCRIPTS},
    {"function|load", SCRIPTS},
    {"function|restore", SCRIPTS},
    {"function|stats", SCRIPTS},
    {"geoadd", OFFERED},
    {"geodist", OFFERED},
    {"geohash", OFFERED},
    {"geopos", OFFERED},
    {"georadius", OFFERED},
    {"georadius_ro", OFFERED},
    {"georadiusbymember", OFFERED},
    {"georadiusbymember_ro", OFFERED},
    {"geosearch", OFFERED},
    {"geosearchstore", OFFERED},
    {"get", OFFERED},
    {"getbit", OFFERED},
    {"getdel", OFFERED},
    {"getex", OFFERED},
    {"getrange", OFFERED},
    {"getset", OFFERED},
    {"hdel", OFFERED},
    {"hello", CONNECTION},
    {"hexists", OFFERED},
    {"hget", OFFERED},
    {"hgetall", OFFERED},
    {"hincrby", OFFERED},
    {"hincrbyfloat", OFFERED},
    {"hkeys", OFFERED},
    {"hlen", OFFERED},
    {"hmget", OFFERED},
    {"hmset", OFFERED},
    {"hrandfield", OFFERED},
    {"hscan", OFFERED},
    {"hset", OFFERED},
    {"hsetnx", OFFERED},
    {"hstrlen", OFFERED},
    {"hvals", OFFERED},
    {"incr", OFFERED},
    {"incrby", OFFERED},
    {"incrbyfloat", OFFERED},
    {"info", SERVER},
    {"json.arrappend", OFFERED},
    {"json.arrindex", OFFERED},
    {"json.arrinsert", OFFERED},
    {"json.arrlen", OFFERED},
    {"json.arrpop", OFFERED},
    {"json.arrtrim", OFFERED},
    {"json.clear", OFFERED},
    {"json.debug", JSON_DEBUG},
    {"json.debug|help", JSON_DEBUG},
    {"json.debug|memory", JSON_DEBUG},
    {"json.del", OFFERED},
    {"json.forget", OFFERED},
    {"json.get", OFFERED},
    {"json.merge", OFFERED},
    {"json.mget", OFFERED},
    {"json.mset", OFFERED},
    {"json.numincrby", OFFERED},
    {"json.nummultby", OFFERED},
    {"json.objkeys", OFFERED},
    {"json.objlen", OFFERED},
    {"json.resp", OFFERED},
    {"json.set", OFFERED},
    {"json.strappend", OFFERED},
    {"json.strlen", OFFERED},
    {"json.toggle", OFFERED},
    {"json.type", OFFERED},
    {"keys", OFFERED},
    {"lastsave", PERSISTENCE},
    {"latency", SERVER},
    {"latency|doctor", MONITORING},
    {"latency|graph", MONITORING},
    {"latency|help", MONITORING},
    {"latency|histogram", SERVER},
    {"latency|history", MONITORING},
    {"latency|latest", MONITORING},
    {"latency|reset", MONITORING},
    {"lcs", OFFERED},
    {"lindex", OFFERED},
    {"linsert", OFFERED},
    {"llen", OFFERED},
    {"lmove", OFFERED},
    {"lmpop", OFFERED},
    {"lolwut", SERVER},
    {"lpop", OFFERED},
    {"lpos", OFFERED},
    {"lpush", OFFERED},
    {"lpushx", OFFERED},
    {"lrange", OFFERED},
    {"lrem", OFFERED},
    {"lset", OFFERED},
    {"ltrim", OFFERED},
    {"memory", SERVER},
    {"memory|doctor", MONITORING},
    {"memory|help", SERVER},
    {"memory|malloc-stats", MONITORING},
    {"memory|purge", MONITORING},
    {"memory|stats", MONITORING},
    {"memory|usage", SERVER},
    {"mget", OFFERED},
    {"migrate", MIGRATE},
    {"module", SERVER},
    {"module|help", MODULE},
    {"module|list", SERVER},
    {"module|load", MODULE},
    {"module|loadex", MODULE},
    {"module|unload", MODULE},
    {"monitor", SERVER},
    {"move", DATABASES},
    {"mset", OFFERED},
    {"msetnx", OFFERED},
    {"multi", OFFERED},
    {"object", OFFERED},
    {"object|encoding", ENCODING},
    {"object|freq", OFFERED},
    {"object|help", OFFERED},
    {"object|idletime", ACCESS},
    {"object|refcount", OFFERED},
    {"persist", OFFERED},
    {"pexpire", OFFERED},
    {"pexpireat", OFFERED},
    {"pexpiretime", OFFERED},
    {"pfadd", OFFERED},
    {"pfcount", OFFERED},
    {"pfdebug", HLL},
    {"pfmerge", OFFERED},
    {"pfselftest", HLL},
    {"ping", OFFERED},
    {"psetex", OFFERED},
    {"psubscribe", OFFERED},
    {"psync", REPLICATION},
    {"pttl", OFFERED},
    {"publish", OFFERED},
    {"pubsub", OFFERED},
    {"pubsub|channels", OFFERED},
    {"pubsub|help", OFFERED},
    {"pubsub|numpat", OFFERED},
    {"pubsub|numsub", OFFERED},
    {"pubsub|shardchannels", OFFERED},
    {"pubsub|shardnumsub", OFFERED},
    {"punsubscribe", OFFERED},
    {"quit", CONNECTION},
    {"randomkey", OFFERED},
    {"readonly", CLUSTER},
    {"readwrite", CLUSTER},
    {"rename", OFFERED},
    {"renamenx", OFFERED},
    {"replconf", REPLICATION},
    {"replicaof", REPLICATION},
    {"reset", CLIENT},
    {"restore", RESTORE},
    {"restore-asking", REPLICATION},
    {"role", REPLICATION},
    {"rpop", OFFERED},
    {"rpoplpush", OFFERED},
    {"rpush", OFFERED},
    {"rpushx", OFFERED},
    {"sadd", OFFERED},
    {"save", PERSISTENCE},
    {"scan", OFFERED},
    {"scard", OFFERED},
    {"script", SCRIPTS},
    {"script|debug", SCRIPT_DEBUG},
    {"script|exists", SCRIPTS},
    {"script|flush", SCRIPTS},
    {"script|help", SCRIPTS},
    {"script|kill", SCRIPTS},
    {"script|load", SCRIPTS},
    {"sdiff", OFFERED},
    {"sdiffstore", OFFERED},
    {"select", DATABASES},
    {"set", OFFERED},
    {"setbit", OFFERED},
    {"setex", OFFERED},
    {"setnx", OFFERED},
    {"setrange", OFFERED},
    {"shutdown", MANAGED},
    {"sinter", OFFERED},
    {"sintercard", OFFERED},
    {"sinterstore", OFFERED},
    {"sismember", OFFERED},
    {"slaveof", REPLICATION},
    {"slowlog", SERVER},
    {"slowlog|get", SERVER},
    {"slowlog|help", SERVER},
    {"slowlog|len", SERVER},
    {"slowlog|reset", SERVER},
    {"smembers", OFFERED},
    {"smismember", OFFERED},
    {"smove", OFFERED},
    {"sort", OFFERED},
    {"sort_ro", OFFERED},
    {"spop", OFFERED},
    {"spublish", OFFERED},
    {"srandmember", OFFERED},
    {"srem", OFFERED},
    {"sscan", OFFERED},
    {"ssubscribe", OFFERED},
    {"strlen", OFFERED},
    {"subscribe", OFFERED},
    {"substr", SUBSTR},
    {"sunion", OFFERED},
    {"sunionstore", OFFERED},
    {"sunsubscribe", OFFERED},
    {"swapdb", DATABASES},
    {"sync", REPLICATION},
    {"time", SERVER},
    {"touch", OFFERED},
    {"ttl", OFFERED},
    {"type", OFFERED},
    {"unlink", OFFERED},
    {"unsubscribe", OFFERED},
    {"unwatch", OFFERED},
    {"wait", WAIT},
    {"watch", OFFERED},
    {"xack", OFFERED},
    {"xadd", OFFERED},
    {"xautoclaim", OFFERED},
    {"xclaim", OFFERED},
    {"xdel", OFFERED},
    {"xgroup", OFFERED},
    {"xgroup|create", OFFERED},
    {"xgroup|createconsumer", OFFERED},
    {"xgroup|delconsumer", OFFERED},
    {"xgroup|destroy", OFFERED},
    {"xgroup|help", OFFERED},
    {"xgroup|setid", OFFERED},
    {"xinfo", OFFERED},
    {"xinfo|consumers", OFFERED},
    {"xinfo|groups", OFFERED},
    {"xinfo|help", OFFERED},
    {"xinfo|stream", OFFERED},
    {"xlen", OFFERED},
    {"xpending", OFFERED},
    {"xrange", OFFERED},
    {"xread", OFFERED},
    {"xreadgroup", OFFERED},
    {"xrevrange", OFFERED},
    {"xsetid", OFFERED},
    {"xtrim", OFFERED},
    {"zadd", OFFERED},
    {"zcard", OFFERED},
    {"zcount", OFFERED},
    {"zdiff", OFFERED},
    {"zdiffstore", OFFERED},
    {"zincrby", OFFERED},
    {"zinter", OFFERED},
    {"zintercard", OFFERED},
    {"zinterstore", OFFERED},
    {"zlexcount", OFFERED},
    {"zmpop", OFFERED},
    {"zmscore", OFFERED},
    {"zpopmax", OFFERED},
    {"zpopmin", OFFERED},
    {"zrandmember", OFFERED},
    {"zrange", OFFERED},
    {"zrangebylex", OFFERED},
    {"zrangebyscore", OFFERED},
    {"zrangestore", OFFERED},
    {"zrank", OFFERED},
    {"zrem", OFFERED},
    {"zremrangebylex", OFFERED},
    {"zremrangebyrank", OFFERED},
    {"zremrangebyscore", OFFERED},
    {"zrevrange", OFFERED},
    {"zrevrangebylex", OFFERED},
    {"zrevrangebyscore", OFFERED},
    {"zrevrank", OFFERED},
    {"zscan", OFFERED},
    {"zscore", OFFERED},
    {"zunion", OFFERED},
    {"zunionstore", OFFERED},
};
/* clang-format on */

size_t command_known_count(void)
{
    return G_N_ELEMENTS(names);
}

/* Of "xgroup|create": what has XGROUP. */
static const CommandSpec *spec_of(const char *name)
{
    return command_find(name, strcspn(name, "|"));
}

KnownCommand command_known_at(size_t index)
{
    const KnownName *known = &names[index];
    KnownCommand command = {.name = known->name, .reason = "", .source = ""};

    if (known->refusal != OFFERED) {
        command.standing = COMMAND_REFUSED;
        command.reason = refusals[known->refusal].reason;
        command.source = refusals[known->refusal].page;
        return command;
    }
    command.spec = spec_of(known->name);
    command.standing = command.spec ? COMMAND_SUPPORTED : COMMAND_LATER;
    return command;
}

bool command_known_find(const char *name, size_t size, KnownCommand *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strlen(names[i].name) != size || g_ascii_strncasecmp(names[i].name, name, size) != 0)
            continue;
        *out = command_known_at(i);
        return true;
    }
    return false;
}

/* Of the words' command with its subcommand, when that is known, else of the command alone. */
static bool find_words(const Arg *words, uint32_t count, KnownCommand *out)
{
    if (count > 1 && words[0].bytes > 0) {
        g_autoptr(GString) both = g_string_new_len(words[0].data, words[0].bytes);

        g_string_append_c(both, '|');
        g_string_append_len(both, words[1].data, words[1].bytes);
        if (command_known_find(both->str, both->len, out))
            return true;
    }
    return command_known_find(words[0].data, words[0].bytes, out);
}

const char *command_known_name(const Arg *words, uint32_t count)
{
    KnownCommand known;

    return find_words(words, count, &known) ? known.name : "";
}

bool command_is_refused(const Arg *words, uint32_t count)
{
    KnownCommand known;

    return find_words(words, count, &known) && known.standing == COMMAND_REFUSED;
}

const CommandSpec *command_find_words(const Arg *words, uint32_t count)
{
    if (command_is_refused(words, count))
        return NULL;
    return command_find(words[0].data, words[0].bytes);
}

#define UNKNOWN_TEXT_MAX                                                                           \
    128 /* Redis shows that much of the name, and of its arguments together                        \
         */

/* As C shows a text: a word ends at its first zero. */
static void append_clipped(GString *out, const Arg *word, size_t room)
{
    size_t bytes = MIN(room, word->bytes);
    const char *zero = memchr(word->data, '\0', bytes);

    g_string_append_c(out, '\'');
    g_string_append_len(out, word->data, zero ? zero - word->data : (gssize)bytes);
    g_string_append_c(out, '\'');
}

/* Redis makes line breaks blanks, as a line of the protocol has none. */
static void one_line(GString *text)
{
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\r' || text->str[i] == '\n')
            text->str[i] = ' ';
}

void command_reply_unfound(const Arg *words, uint32_t count, Arena *arena, Reply *out)
{
    g_autoptr(GString) text = g_string_new(NULL);
    KnownCommand known;

    if (find_words(words, count, &known) && known.standing == COMMAND_REFUSED) {
        g_autofree char *name = g_ascii_strup(known.name, -1);

        g_string_printf(text, "ERR %s is refused: %s", g_strdelimit(name, "|", ' '), known.reason);
    } else {
        size_t begin;

        g_string_append(text, "ERR unknown command ");
        append_clipped(text, &words[0], UNKNOWN_TEXT_MAX);
        g_string_append(text, ", with args beginning with: ");
        begin = text->len;
        for (uint32_t i = 1; i < count && text->len - begin < UNKNOWN_TEXT_MAX; i++) {
            append_clipped(text, &words[i], UNKNOWN_TEXT_MAX - (text->len - begin));
            g_string_append_c(text, ' ');
        }
    }
    one_line(text);
    *out = (Reply){.kind = REPLY_ERROR, .text = arena_text(arena, text->str), .bytes = text->len};
}
