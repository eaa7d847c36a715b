/* Regions, their round trips, and SKUs, as carried in scenarios/data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/json_read.h"

/* "East US" or "eastus"; -1 and an error (nearest match) when unknown. */
int32_t catalog_region(const char *name, const JsonNode *at, GError **error);
/* Round trip in ms between two regions; false when the matrix has no such pair. */
bool catalog_rtt_ms(int32_t from, int32_t to, double *out_p50, double *out_p95);

typedef struct {
    uint64_t usable_bytes;
    uint32_t shards;      /* 0: unknown */
    bool geo_replication; /* may be a member of a group */
} CatalogSku;

bool catalog_sku(const char *name, const JsonNode *at, CatalogSku *out, GError **error);
