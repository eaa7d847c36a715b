/* Conformance cases as a user writes them (tests/conformance/FORMAT.md): read and checked.
 *
 * A file that was read is sound: every step can be carried out and every expected reply is a form
 * that replies are compared with.  What cannot be is one error that names its place, what was found
 * and what would be right; nothing of the file is run then.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/limits.h"
#include "sim/json_read.h"

typedef struct {
    int64_t at_s;             /* t: every wall clock reads at_s * 1000 ms while the step runs */
    uint32_t member;          /* whose client it is, from 1; 0: a sync, as is a send */
    uint32_t client;          /* which of the case's clients asks, hears or takes its messages */
    uint32_t sync_members;    /* bit (id - 1) for each member that exchanges; 0: no sync */
    uint32_t sender;          /* of a send, from 1; 0: both ways */
    int64_t effect_count;     /* of a send: its oldest that the other lacks; 0: its whole state */
    const JsonNode *words;    /* the command: texts, at least one; NULL: none */
    const JsonNode *messages; /* expected of what has come for the client; NULL: no such step.  A
                                 member's step with neither hears the reply to what waited */
    const JsonNode *reply;    /* expected, when it does not wait; NULL: any but an error */
    bool waits;               /* expected: no reply yet */
    const JsonNode *node;
} ConformStep;

/* A connection to one member. */
typedef struct {
    const char *name; /* "": the one that steps without a client use */
    uint32_t member;
} ConformClient;

/* The documented crdt_xadd_id_uniqueness_mode. */
typedef enum { XADD_ID_STRICT, XADD_ID_SEMI_STRICT, XADD_ID_LIBERAL } ConformXaddId;

typedef struct {
    const char *name;   /* unique in its file */
    const char *about;  /* "" when absent, as is the next */
    const char *source; /* the page that documents it */
    uint32_t member_count;
    ConformXaddId xadd_id;
    bool is_causal;
    bool is_clustered; /* every member: see StoreConfig */
    const ConformStep *steps;
    uint32_t step_count;          /* at least 1 */
    const ConformClient *clients; /* first that of member 1 without a name, of 2, ... */
    uint32_t client_count;
    const JsonNode *node;
} ConformCase;

typedef struct ConformFile ConformFile;

/* Errors: QUINTET_ERROR_IO when it cannot be read, QUINTET_ERROR_INPUT when it is malformed. */
ConformFile *conform_file_read(const char *path, GError **error);
ConformFile *conform_file_parse(const char *path, const char *text, size_t size, GError **error);
void conform_file_free(ConformFile *file);

const char *conform_file_path(const ConformFile *file);
const char *conform_file_type(const ConformFile *file); /* what its cases are about: "hash" */
uint32_t conform_case_count(const ConformFile *file);
const ConformCase *conform_case_at(const ConformFile *file, uint32_t index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConformFile, conform_file_free)
