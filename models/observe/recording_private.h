/* How a recording is kept, for the file that writes it and the file that reads it. */
#pragma once

#include "models/observe/recording.h"

typedef struct {
    double *values;
    uint32_t count, capacity;
} Series;

struct Recording {
    SimTime duration_ns;
    uint64_t seed;
    bool sliced, has_ended;
    Phase *phases;
    uint64_t *phase_segments; /* bit per segment */
    uint32_t phase_count;
    SimTime boundaries[SEGMENT_MAX];
    uint32_t boundary_count;
    uint32_t segment; /* current; boundary_count + 1 of them */
    uint32_t bucket_count;
    SimTime now_ns;
    GPtrArray *instruments;
    GHashTable *by_name; /* looked up, never iterated */
    GPtrArray *watched;  /* Metric */
};

struct Instrument {
    const Recording *recording;
    const Metric *metric;
    Labels labels;
    uint32_t weight_max;
    bool has_reading;             /* gauges: this second */
    double current, current_done; /* this second */
    Series series, series_done;
    double *sums;           /* by segment, events */
    double *groups;         /* by segment and group, NULL until a sampled key is counted */
    Histogram **histograms; /* by segment, NULL where nothing fell */
    Histogram **merged;     /* by phase, made when read */
    /* Watched samples.  What comes waits in live until these ten seconds or the segment end, and is
     * in no segment's histogram before. */
    Histogram *live;
    Histogram *earlier; /* of these ten seconds, but of segments before; NULL: there was none */
    Histogram *recent;  /* of the ten seconds before */
};

static inline uint32_t segment_count(const Recording *recording)
{
    return recording->boundary_count + 1;
}

/* The segments that lie in a phase, one bit each. */
uint64_t recording_segments_of(const Recording *recording, const Phase *phase);
