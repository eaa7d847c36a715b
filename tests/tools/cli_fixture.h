/* The command line as a person meets it: each command runs in a child of its own with its output in
 * files, as it would from a shell. */
#pragma once

#include "tests/test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/subcommand.h"

typedef struct {
    char *folder;
    char *scenario; /* a small one that runs */
    char *results;
    char *output; /* of the last command */
    char *errors;
} Fixture;

static const char tiny[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"tiny\", \"seed\": 3, \"duration\": \"3m\",\n"
    " \"members\": {\"us\": {\"region\": \"East US\", \"memory\": {\"max\": \"1GB\"}},\n"
    "             \"eu\": {\"region\": \"West Europe\", \"memory\": {\"max\": \"1GB\"}}},\n"
    " \"sites\": {\"viewers\": {\"home\": \"us\", \"clients\": 2}},\n"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 100, \"value\": \"100B\",\n"
    "              \"ops\": {\"GET\": 0.5, \"SET\": 0.5}}},\n"
    " \"workloads\": {\"w\": {\"site\": \"viewers\", \"rate\": \"20/s\", \"arrivals\": "
    "\"poisson\",\n"
    "               \"mix\": {\"f\": 1}}},\n"
    " \"routing\": {\"select\": \"pin\"},\n"
    " \"variants\": {\"busy\": {\"workloads\": {\"w\": {\"rate\": \"40/s\"}}}},\n"
    " \"expect\": {\"some\": {\"that\": \"count(ops) > 100\", \"phase\": \"all\",\n"
    "              \"severity\": \"must\", \"why\": \"somebody is there\"}}}\n";

static inline Fixture *fixture_new(void)
{
    Fixture *f = g_new0(Fixture, 1);

    f->folder = g_dir_make_tmp("quintet-test-XXXXXX", NULL);
    f->scenario = g_build_filename(f->folder, "tiny.json", NULL);
    f->results = g_build_filename(f->folder, "results.db", NULL);
    EXPECT(g_file_set_contents(f->scenario, tiny, -1, NULL));
    return f;
}

static inline void fixture_free(Fixture *f)
{
    GDir *folder = g_dir_open(f->folder, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);

        g_unlink(path);
    }
    if (folder)
        g_dir_close(folder);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->scenario);
    g_free(f->results);
    g_free(f->output);
    g_free(f->errors);
    g_free(f);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

static inline void redirect(const Fixture *f, const char *name, int to)
{
    g_autofree char *path = g_build_filename(f->folder, name, NULL);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    if (file < 0 || dup2(file, to) < 0)
        _exit(99);
    close(file);
}

/* Starts `quintet WORDS`, words parted by blanks. */
static inline pid_t start(const Fixture *f, const char *words)
{
    g_autofree char *line = g_strconcat("quintet ", words, NULL);
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        char **argv = g_strsplit(g_strchomp(line), " ", -1);
        int code;

        redirect(f, "output", STDOUT_FILENO);
        redirect(f, "errors", STDERR_FILENO);
        code = (int)subcommand_main((int)g_strv_length(argv), argv);
        fflush(NULL);
        _exit(code);
    }
    return child;
}

static inline int end(Fixture *f, pid_t child)
{
    g_autofree char *output = g_build_filename(f->folder, "output", NULL);
    g_autofree char *errors = g_build_filename(f->folder, "errors", NULL);
    int status = 0;

    EXPECT_INT(waitpid(child, &status, 0), child);
    g_clear_pointer(&f->output, g_free);
    g_clear_pointer(&f->errors, g_free);
    EXPECT(g_file_get_contents(output, &f->output, NULL, NULL));
    EXPECT(g_file_get_contents(errors, &f->errors, NULL, NULL));
    g_unlink(output);
    g_unlink(errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* format with the scenario's and the results' paths put in for SCENARIO and RESULTS. */
static inline char *fill(const Fixture *f, const char *words)
{
    g_auto(GStrv) by_scenario = g_strsplit(words, "SCENARIO", -1);
    g_autofree char *half = g_strjoinv(f->scenario, by_scenario);
    g_auto(GStrv) by_results = g_strsplit(half, "RESULTS", -1);

    return g_strjoinv(f->results, by_results);
}

static inline int command(Fixture *f, const char *words)
{
    g_autofree char *filled = fill(f, words);

    return end(f, start(f, filled));
}

#define EXPECT_SAYS(text, part)                                                                    \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            g_printerr("%s:%d: \"%s\" is missing in:\n%s\n", __FILE__, __LINE__, (part), (text));  \
        EXPECT(strstr((text), (part)) != NULL);                                                    \
    } while (0)
