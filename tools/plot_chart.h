/* Charts of one run as scripts for gnuplot: a small family, one record each. */
#pragma once

#include "tools/store.h"

typedef struct {
    const char *run;   /* in the file */
    const char *title; /* "sports-live-score, slow-dns" */
} ChartOf;

typedef struct {
    const char *name;    /* part of the file's name: "latency" */
    const char *summary; /* for help */
    /* Appends commands that draw it on a terminal already set; false with no error: nothing to
     * draw. */
    bool (*append)(StoreFile *store, const ChartOf *of, GString *script, GError **error);
} Chart;

#define PICTURE_PX        1200 /* how wide the terminals are */
#define PICTURE_HEIGHT_PX 700

extern const Chart charts[];
extern const uint32_t chart_count;
