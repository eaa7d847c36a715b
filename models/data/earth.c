/* Why it works: cells of one size are columns and rows counted from the south-west corner; dropping
 * low bits of a score makes the cell larger.  A search takes cells about as large as its radius, so
 * that the centre's cell and its eight neighbours hold all of it, and leaves out neighbours the
 * shape does not reach.  Constants and the order of operations are those of Redis 7.0, whose
 * replies show them: radius 6372797.560856 m, the count of halvings, the nine cells' order. */
#include "models/data/earth.h"

#include <math.h>

#include "sim/math.h"

#define EARTH_RADIUS_M    6372797.560856
#define EARTH_MERCATOR_M  20037726.37 /* half of the projected equator */
#define DEGREE            (3.14159265358979323846 / 180.0)
#define SCORE_BITS_A_SIDE 26

/* --- scores */

static uint64_t spread(uint32_t bits)
{
    uint64_t x = bits;

    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = (x | x << 2) & UINT64_C(0x3333333333333333);
    return (x | x << 1) & UINT64_C(0x5555555555555555);
}

static uint32_t gather(uint64_t x)
{
    x &= UINT64_C(0x5555555555555555);
    x = (x | x >> 1) & UINT64_C(0x3333333333333333);
    x = (x | x >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(x | x >> 16);
}

static uint64_t interleave(uint32_t column, uint32_t row)
{
    return spread(row) | spread(column) << 1;
}

/* Which of 2^bits equal parts of [-most, most]; the upper end itself is one part beyond. */
static uint32_t part_of(double degrees, double most, int bits)
{
    return (uint32_t)((degrees + most) / (most + most) * (double)(UINT64_C(1) << bits));
}

static double part_begin(uint32_t part, double most, int bits)
{
    return -most + (double)part / (double)(UINT64_C(1) << bits) * (most + most);
}

bool earth_has(EarthPoint point)
{
    return fabs(point.longitude) <= EARTH_LONGITUDE_MAX &&
           fabs(point.latitude) <= EARTH_LATITUDE_MAX;
}

double earth_score(EarthPoint point)
{
    uint32_t column = part_of(point.longitude, EARTH_LONGITUDE_MAX, SCORE_BITS_A_SIDE);
    uint32_t row = part_of(point.latitude, EARTH_LATITUDE_MAX, SCORE_BITS_A_SIDE);

    return (double)interleave(column, row);
}

/* Any number as bits, the same on every machine: C leaves those out of range undefined, and Redis
 * shows what amd64 makes of them. */
static uint64_t bits_of(double score)
{
    if (score >= 0x1p64)
        return 0;
    if (score >= 0)
        return (uint64_t)score;
    if (score > -0x1p63)
        return (uint64_t)(int64_t)score;
    return UINT64_C(1) << 63;
}

static double middle(uint32_t part, double most)
{
    double degrees = (part_begin(part, most, SCORE_BITS_A_SIDE) +
                      part_begin(part + 1, most, SCORE_BITS_A_SIDE)) /
                     2;

    return degrees > most ? most : degrees < -most ? -most : degrees;
}

EarthPoint earth_point(double score)
{
    uint64_t bits = bits_of(score);

    return (EarthPoint){.longitude = middle(gather(bits >> 1), EARTH_LONGITUDE_MAX),
                        .latitude = middle(gather(bits), EARTH_LATITUDE_MAX)};
}

void earth_hash(EarthPoint point, char out[EARTH_HASH_BYTES])
{
    static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    uint64_t bits = interleave(part_of(point.longitude, 180.0, SCORE_BITS_A_SIDE),
                               part_of(point.latitude, 90.0, SCORE_BITS_A_SIDE));

    for (int i = 0; i < EARTH_HASH_BYTES - 1; i++)
        out[i] = alphabet[bits >> (2 * SCORE_BITS_A_SIDE - 5 * (i + 1)) & 31];
    out[EARTH_HASH_BYTES - 1] = alphabet[0];
}

/* --- distances */

double earth_distance_m(EarthPoint a, EarthPoint b)
{
    double latitude_a = a.latitude * DEGREE;
    double latitude_b = b.latitude * DEGREE;
    double u = sim_sin((latitude_b - latitude_a) / 2);
    double v = sim_sin((b.longitude * DEGREE - a.longitude * DEGREE) / 2);
    double square = u * u + sim_cos(latitude_a) * sim_cos(latitude_b) * v * v;

    return 2.0 * EARTH_RADIUS_M * sim_asin(square < 1.0 ? sqrt(square) : 1.0);
}

/* A box is bounded along the meridian through the point and along the point's own parallel. */
bool earth_shape_holds(const EarthShape *shape, EarthPoint point, double *out_distance_m)
{
    EarthPoint beside = {shape->centre.longitude, point.latitude};
    EarthPoint below = {point.longitude, shape->centre.latitude};

    if (shape->is_box && (earth_distance_m(point, beside) > shape->width_m / 2 ||
                          earth_distance_m(point, below) > shape->height_m / 2))
        return false;
    *out_distance_m = earth_distance_m(shape->centre, point);
    return shape->is_box || *out_distance_m <= shape->radius_m;
}

/* --- cells of a search */

typedef struct {
    uint32_t column, row;
    int bits; /* of each */
} Cell;

typedef struct {
    double west, south, east, north; /* degrees */
} Bounds;

static Cell cell_at(EarthPoint point, int bits)
{
    return (Cell){.column = part_of(point.longitude, EARTH_LONGITUDE_MAX, bits),
                  .row = part_of(point.latitude, EARTH_LATITUDE_MAX, bits),
                  .bits = bits};
}

/* Around the earth, and over the poles too. */
static Cell cell_beside(Cell cell, int east, int north)
{
    uint32_t mask = (UINT32_C(1) << cell.bits) - 1;

    if (east != 0)
        cell.column = (cell.column + (uint32_t)east) & mask;
    if (north != 0)
        cell.row = (cell.row + (uint32_t)north) & mask;
    return cell;
}

static Bounds cell_bounds(Cell cell)
{
    return (Bounds){.west = part_begin(cell.column, EARTH_LONGITUDE_MAX, cell.bits),
                    .east = part_begin(cell.column + 1, EARTH_LONGITUDE_MAX, cell.bits),
                    .south = part_begin(cell.row, EARTH_LATITUDE_MAX, cell.bits),
                    .north = part_begin(cell.row + 1, EARTH_LATITUDE_MAX, cell.bits)};
}

static uint64_t cell_prefix(Cell cell)
{
    return interleave(cell.column, cell.row);
}

/* From the centre to the furthest corner or point of the rim. */
static double reach_m(const EarthShape *shape)
{
    double x = shape->width_m / 2;
    double y = shape->height_m / 2;

    return shape->is_box ? sqrt(x * x + y * y) : shape->radius_m;
}

/* Bits a side of cells as large as the reach; towards the poles degrees of longitude are shorter.
 */
static int bits_for(double reach, double latitude)
{
    int bits = -1;

    if (reach == 0)
        return SCORE_BITS_A_SIDE;
    for (; reach < EARTH_MERCATOR_M; reach *= 2)
        bits++;
    if (fabs(latitude) > 66)
        bits--;
    if (fabs(latitude) > 80)
        bits--;
    return bits < 1 ? 1 : bits > SCORE_BITS_A_SIDE ? SCORE_BITS_A_SIDE : bits;
}

/* The longitudes are those of the edge nearer to the pole.  Only of shapes that reach less far than
 * a quarter of the earth: others look at everything anyway. */
static Bounds shape_bounds(const EarthShape *shape)
{
    double height = shape->is_box ? shape->height_m / 2 : shape->radius_m;
    double width = shape->is_box ? shape->width_m / 2 : shape->radius_m;
    EarthPoint at = shape->centre;
    double up = height / EARTH_RADIUS_M / DEGREE;
    double edge = at.latitude < 0 ? at.latitude - up : at.latitude + up;
    double aside = width / EARTH_RADIUS_M / sim_cos(edge * DEGREE) / DEGREE;

    return (Bounds){.west = at.longitude - aside,
                    .east = at.longitude + aside,
                    .south = at.latitude - up,
                    .north = at.latitude + up};
}

/* Whether the shape leaves the nine cells. */
static bool is_too_wide(Cell cell, const Bounds *shape)
{
    return cell_bounds(cell_beside(cell, 0, 1)).north < shape->north ||
           cell_bounds(cell_beside(cell, 0, -1)).south > shape->south ||
           cell_bounds(cell_beside(cell, 1, 0)).east < shape->east ||
           cell_bounds(cell_beside(cell, -1, 0)).west > shape->west;
}

/* Whether the shape ends inside the centre's cell on that side. */
static bool is_out_of_reach(const Bounds *own, const Bounds *shape, int east, int north)
{
    return (north < 0 && own->south < shape->south) || (north > 0 && own->north > shape->north) ||
           (east < 0 && own->west < shape->west) || (east > 0 && own->east > shape->east);
}

uint32_t earth_cover(const EarthShape *shape, EarthCell out[EARTH_CELLS])
{
    static const struct {
        int east, north;
    } ways[EARTH_CELLS] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                           {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
    int bits = bits_for(reach_m(shape), shape->centre.latitude);
    Cell centre = cell_at(shape->centre, bits);
    uint64_t last = 0;
    uint32_t count = 0;
    Bounds own, bounds = {0};

    if (bits > 1) {
        bounds = shape_bounds(shape);
        if (is_too_wide(centre, &bounds))
            centre = cell_at(shape->centre, --bits);
    }
    own = cell_bounds(centre);
    for (int i = 0; i < EARTH_CELLS; i++) {
        uint64_t prefix = cell_prefix(cell_beside(centre, ways[i].east, ways[i].north));
        int shift = 2 * (SCORE_BITS_A_SIDE - bits);

        if (bits > 1 && is_out_of_reach(&own, &bounds, ways[i].east, ways[i].north))
            continue;
        if (count > 1 && prefix == last) /* round the earth: seen already */
            continue;
        last = prefix;
        out[count++] = (EarthCell){(double)(prefix << shift), (double)((prefix + 1) << shift)};
    }
    return count;
}
