/* What charts are drawn from: curves over simulated minutes, read from a results file. */
#pragma once

#include <glib.h>

#include "tools/store.h"

typedef struct {
    char *group; /* the panel or colour it belongs to: a site, a member */
    char *name;  /* "p50", a cause, or "" */
    GArray *x;   /* double, minutes */
    GArray *y;   /* double, in the unit asked for */
} PlotCurve;

typedef struct {
    char *label;
    double from_min, to_min;
} PlotShade;

/* p50 and p99 of each site in ms; empty when the run kept no course of latency. */
GPtrArray *plot_latency_curves(StoreFile *store, const char *run, GError **error);
/* A metric's series, at most about 720 points each; what falls together is the largest.  y is
 * divided by unit. group is the label "member" or "site". */
typedef struct {
    const char *metric;
    const char *group;
    double unit;
    bool lowest; /* what falls together is the least: for availability */
} PlotSeries;
GPtrArray *plot_series_curves(StoreFile *store, const char *run, const PlotSeries *series,
                              GError **error);
/* Intervals of faults. */
GPtrArray *plot_shades(StoreFile *store, const char *run, GError **error);
/* maxmemory of a member in bytes, 0 when unknown. */
double plot_memory_max(StoreFile *store, const char *run, const char *member, GError **error);
