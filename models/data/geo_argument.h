/* What the commands on places share. */
#pragma once

#include "models/data/command_run.h"
#include "models/data/earth.h"

/* Longitude and latitude at index and after it; false: the error is the reply. */
bool geo_read_point(CommandRun *run, uint32_t index, EarthPoint *out);

/* Metres in the unit at index; false: the error is the reply. */
bool geo_read_unit(CommandRun *run, uint32_t index, double *out_metres);

/* Where an element is; false: it is not there. */
bool geo_find_point(CommandRun *run, const Key *key, bool exists, const ElementRef *ref,
                    EarthPoint *out);

/* As Redis prints them: a distance with four decimals, a point as an array of two texts without
 * trailing zeros. */
void geo_reply_distance(CommandRun *run, double distance);
void geo_push_distance(CommandRun *run, double distance);
void geo_push_point(CommandRun *run, EarthPoint point);
