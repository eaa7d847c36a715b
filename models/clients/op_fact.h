/* Facts about operations, for whoever listens. */
#pragma once

#include <stdint.h>

#include "models/geo/request.h"

/* One operation has its final answer. */
typedef struct {
    SimTime start_ns; /* first attempt */
    SimTime end_ns;
    SimTime attempt_ns; /* start of the last attempt */
    uint64_t op_seq;    /* per site */
    uint64_t key;
    const CommandSpec *spec;
    Dot dot; /* of the write, 0 for reads and failures */
    uint32_t site_index;
    uint32_t client;      /* instance */
    int32_t member_index; /* that answered last, -1: none was chosen */
    uint32_t weight;
    uint16_t family;
    uint16_t op_index; /* in the family's ops */
    uint8_t attempts;  /* made */
    uint8_t outcome;
} OpFact;

typedef enum {
    CLIENT_FAILOVER,  /* first success elsewhere: duration since the fault began */
    CLIENT_SWITCH,    /* a client instance changed its endpoint */
    CLIENT_DUPLICATE, /* an operation was applied more than once (A12) */
} ClientFactKind;

typedef struct {
    ClientFactKind kind;
    uint32_t site_index;
    uint32_t client;
    int32_t from_index, to_index; /* members */
    SimTime at_ns;
    SimTime duration_ns;
    uint16_t family;
    uint32_t weight;
} ClientFact;

typedef struct {
    void (*op_done)(void *actor, const OpFact *fact); /* hot: once per operation */
    void (*client)(void *actor, const ClientFact *fact);
    void *actor;
} ClientListener;
