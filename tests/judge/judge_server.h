/* A redis-server of our own for the length of a test: loopback, a free port, nothing on disk but a
 * private folder.
 *
 * It is stopped by its pid; should this process die first, the kernel stops it (PR_SET_PDEATHSIG).
 */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

#define JUDGE_CONNECTIONS 3

typedef struct {
    GPid pid;
    char *folder;
    redisContext *connections[JUDGE_CONNECTIONS];
} JudgeServer;

static int judge_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    int port = 0;

    if (handle < 0)
        return 0;
    if (bind(handle, (struct sockaddr *)&address, size) == 0 &&
        getsockname(handle, (struct sockaddr *)&address, &size) == 0)
        port = ntohs(address.sin_port);
    close(handle);
    return port;
}

static void judge_child_dies_with_us(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void judge_server_stop(JudgeServer *server)
{
    for (uint32_t i = 0; i < JUDGE_CONNECTIONS; i++)
        if (server->connections[i])
            redisFree(server->connections[i]);
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    if (server->folder)
        g_rmdir(server->folder);
    g_free(server->folder);
    *server = (JudgeServer){0};
}

static redisContext *judge_connect(int port)
{
    for (int tries = 0; tries < 200; tries++) {
        redisContext *context = redisConnect("127.0.0.1", port);

        if (context && context->err == 0) {
            redisSetTimeout(context, (struct timeval){.tv_sec = 10});
            return context;
        }
        if (context)
            redisFree(context);
        g_usleep(20000);
    }
    return NULL;
}

static bool judge_server_connect(JudgeServer *server, int port)
{
    for (uint32_t i = 0; i < JUDGE_CONNECTIONS; i++) {
        server->connections[i] = judge_connect(port);
        if (!server->connections[i])
            return false;
    }
    return true;
}

/* NULL: it runs; else why it does not. */
static const char *judge_server_start(JudgeServer *server)
{
    g_autofree char *program = g_find_program_in_path("redis-server");
    g_autofree char *port_text = NULL;
    int port = judge_free_port();

    *server = (JudgeServer){0};
    if (!program)
        return "there is no redis-server on this machine";
    server->folder = g_dir_make_tmp("quintet-judge-XXXXXX", NULL);
    if (port == 0 || !server->folder)
        return "no free port or no temporary folder";
    port_text = g_strdup_printf("%d", port);
    {
        char *argv[] = {program,     "--port",       port_text, "--bind",
                        "127.0.0.1", "--save",       "",        "--dir",
                        NULL,        "--appendonly", "no",      "--databases",
                        "1",         "--loglevel",   "warning", NULL};

        argv[8] = server->folder;
        if (!g_spawn_async(NULL, argv, NULL,
                           G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                               G_SPAWN_STDERR_TO_DEV_NULL,
                           judge_child_dies_with_us, NULL, &server->pid, NULL))
            return "redis-server does not start";
    }
    if (judge_server_connect(server, port))
        return NULL;
    judge_server_stop(server);
    return "redis-server does not answer";
}

/* A machine without redis-server has nobody to ask: not a failure, and not a pass either. */
static int judge_main(const char *module, const TestCase *cases, size_t count)
{
    g_autofree char *program = g_find_program_in_path("redis-server");

    if (program)
        return test_main(module, cases, count);
    for (size_t i = 0; i < count; i++)
        g_printerr("skipped: there is no redis-server on this machine, so nothing judges %s\n",
                   cases[i].name);
    return TEST_SKIPPED;
}

#define JUDGE_MAIN(module, cases)                                                                  \
    int main(void)                                                                                 \
    {                                                                                              \
        return judge_main(module, cases, G_N_ELEMENTS(cases));                                     \
    }
