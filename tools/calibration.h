/* Measured bytes per key, read from a CSV file, beside what the footprint model says.
 *
 * The format is that of tests/calibration/redis-memory.csv, explained there: a header line names
 * the columns, then one experiment a line.  type, key_len, elements, value_len, ttl and
 * bytes_per_key must be there; encoding, keys and note help the model know the contents; the other
 * columns of that file may be there and are not looked at.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "models/data/footprint.h"

typedef struct {
    uint32_t line; /* of the file, from 1 */
    FootprintShape shape;
    char *encoding; /* as measured; "" when not told */
    char *note;
    char *unused; /* the part of the note that told the model nothing; NULL: none */
    uint64_t keys;
    double measured_bytes;
    double model_bytes;
    const char *model_encoding;
    double error; /* (model - measured) / measured */
} CalibrationRow;

/* Rows of type CalibrationRow.  Errors name file and line and say what would be right. */
GArray *calibration_read(const char *path, const FootprintRules *rules, GError **error);
GArray *calibration_parse(const char *name, const char *text, const FootprintRules *rules,
                          GError **error);

const char *calibration_type_name(FootprintType type); /* as in the file */

/* NAME=VALUE with a name of redis.conf, or jemalloc-quantum. */
bool calibration_configure(FootprintRules *rules, const char *setting, GError **error);

/* Of one type, or of all (FOOTPRINT_TYPES). */
typedef struct {
    uint32_t rows, within;
    double median; /* of the errors' sizes */
    double worst;  /* with its sign */
    uint32_t worst_line;
} CalibrationSummary;

CalibrationSummary calibration_summary(const GArray *rows, FootprintType type, double tolerance);
