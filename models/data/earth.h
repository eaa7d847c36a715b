/* Points on the earth as scores of a sorted set, distances between them, and which scores a search
 * has to look at.
 *
 * A score is 52 bits: latitude and longitude, each as a share of its range in 26 bits, with their
 * bits interleaved, longitude first (Redis, GEOADD).  So a square cell of the map is one range of
 * scores, and a search is nine of them.  Nothing here knows of keys.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define EARTH_LONGITUDE_MAX 180.0
#define EARTH_LATITUDE_MAX  85.05112878 /* of the Mercator projection, EPSG:3857 */

typedef struct {
    double longitude, latitude; /* degrees */
} EarthPoint;

bool earth_has(EarthPoint point); /* whether a score can hold it */
double earth_score(EarthPoint point);
EarthPoint earth_point(double score); /* the middle of its cell; of any score */

/* The standard geohash of the point, whose latitudes reach the poles; ten of its eleven characters
 * carry bits, the last is always 0 (as in Redis). */
#define EARTH_HASH_BYTES 11
void earth_hash(EarthPoint point, char out[EARTH_HASH_BYTES]);

/* Along a great circle, of a sphere (haversine). */
double earth_distance_m(EarthPoint a, EarthPoint b);

typedef struct {
    EarthPoint centre;
    bool is_box; /* else a circle */
    double radius_m;
    double width_m, height_m;
} EarthShape;

/* out_distance_m: from the centre, when it holds the point. */
bool earth_shape_holds(const EarthShape *shape, EarthPoint point, double *out_distance_m);

typedef struct {
    double low, high; /* low is in, high is not */
} EarthCell;

#define EARTH_CELLS 9

/* The cells that cover the shape, the centre's first; returns how many.  The order is Redis's,
 * which is also that of an unsorted reply. */
uint32_t earth_cover(const EarthShape *shape, EarthCell out[EARTH_CELLS]);
