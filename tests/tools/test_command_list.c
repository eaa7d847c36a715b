/* The commands the program knows are those of a real Redis.
 *
 * A server is started on a socket in a folder of its own, without a port, and stopped by its pid;
 * it ends with this process too, should that be killed.
 */
#include "tests/test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/data/command_known.h"

#define LISTED_VERSION "v=7.0." /* as redis-server --version prints that of the list */

typedef struct {
    char *folder;
    char *socket;
    GPid pid;
} Server;

static void end_with_parent(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool server_start(Server *server)
{
    char *words[] = {"redis-server", "--port", "0",           "--unixsocket", NULL, "--save", "",
                     "--appendonly", "no",     "--daemonize", "no",           NULL};

    server->folder = g_dir_make_tmp("quintet-redis-XXXXXX", NULL);
    server->socket = g_build_filename(server->folder, "redis.sock", NULL);
    words[4] = server->socket;
    return g_spawn_async(server->folder, words, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                             G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                         end_with_parent, NULL, &server->pid, NULL);
}

static void server_stop(Server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGTERM);
        waitpid(server->pid, NULL, 0);
    }
    g_unlink(server->socket);
    g_rmdir(server->folder);
    g_free(server->socket);
    g_free(server->folder);
}

/* A connection, as soon as the server takes it; NULL: it never did. */
static FILE *server_connect(const Server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    g_strlcpy(address.sun_path, server->socket, sizeof(address.sun_path));
    for (int i = 0; i < 500; i++) {
        int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(handle, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fdopen(handle, "r+");
        close(handle);
        g_usleep(10000);
    }
    return NULL;
}

/* The texts of a list of bulk strings; NULL: the reply is something else. */
static GHashTable *ask_list(FILE *connection, const char *command)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char line[256];

    fprintf(connection, "%s\r\n", command);
    fflush(connection);
    if (!fgets(line, sizeof(line), connection) || line[0] != '*')
        return NULL;
    for (gint64 left = g_ascii_strtoll(line + 1, NULL, 10); left > 0; left--) {
        if (!fgets(line, sizeof(line), connection) || line[0] != '$' ||
            !fgets(line, sizeof(line), connection))
            return NULL;
        g_hash_table_add(names, g_strdup(g_strchomp(line)));
    }
    return g_steal_pointer(&names);
}

static void compare(GHashTable *theirs)
{
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, theirs);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        KnownCommand known;
        bool is_known = command_known_find(name, strlen(name), &known);

        if (!is_known)
            g_printerr("%s is a command of Redis and not known here\n", (const char *)name);
        EXPECT(is_known);
    }
    for (size_t i = 0; i < command_known_count(); i++) {
        const char *ours = command_known_at(i).name;
        bool is_theirs = g_str_has_prefix(ours, "json.") || g_hash_table_contains(theirs, ours);

        if (!is_theirs)
            g_printerr("%s is known here and no command of Redis\n", ours);
        EXPECT(is_theirs);
    }
}

/* NULL: no server is installed. */
static char *installed_version(void)
{
    char *words[] = {"redis-server", "--version", NULL};
    char *text = NULL;

    if (!g_spawn_sync(NULL, words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                      NULL, &text, NULL, NULL, NULL))
        return NULL;
    return g_strchomp(text);
}

static void test_command_list_is_that_of_a_real_redis(void)
{
    g_autofree char *version = installed_version();
    g_autoptr(GHashTable) theirs = NULL;
    Server server = {0};
    FILE *connection = NULL;

    if (!version || !strstr(version, LISTED_VERSION)) {
        g_print("  SKIPPED: %s; the list is compared with that of a redis-server 7.0\n",
                version ? version : "no redis-server is installed");
        return;
    }
    if (server_start(&server))
        connection = server_connect(&server);
    if (connection) {
        theirs = ask_list(connection, "COMMAND LIST");
        fclose(connection);
    }
    server_stop(&server);
    EXPECT_FATAL(theirs != NULL);
    EXPECT(g_hash_table_size(theirs) > 300);
    compare(theirs);
}

static const TestCase cases[] = {
    TEST(test_command_list_is_that_of_a_real_redis),
};
TEST_MAIN("command_list", cases)
