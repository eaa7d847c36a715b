/* Commands that change a part of a string: they read the whole, edit a copy and assign it. */
#pragma once

#include "models/data/command_run.h"

#define STRING_BYTES_MAX  (512 * 1024 * 1024)
#define ERROR_STRING_SIZE "ERR string exceeds maximum allowed size (proto-max-bulk-len)"

typedef struct {
    bool nx, xx, get, keep_ttl;
    int64_t deadline_ms; /* 0: none given */
} SetOptions;

/* Assigns the whole string.  A value of another type shown under the name is deleted first. */
void string_assign(CommandRun *run, Key *key, Value value, const SetOptions *options);

/* The string at argument index, empty when there is none; false: the error is the reply. */
bool string_find(CommandRun *run, uint32_t index, Key *out, ViewText *out_text);
bool string_find_to_write(CommandRun *run, uint32_t index, Key *out, ViewText *out_text);

/* A copy of text, zeros after it up to bytes; NULL for a synthetic one.  Free with g_free. */
char *string_copy(PayloadText text, uint64_t bytes);

/* Assigns the edited text and keeps the deadline.  Takes text; NULL stands for synthetic bytes. */
void string_assign_edited(CommandRun *run, Key *key, char *text, uint64_t bytes);
