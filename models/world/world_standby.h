/* A cold standby: a member outside the group that starts empty and is filled from the record when
 * it is needed.
 *
 * The rebuild begins when the first client has taken the standby as its endpoint, loads the
 * declared keys in the order of their popularity at a given rate, and takes the member's own time
 * to execute each load. rebuild.time is from its begin until all keys of the record have been
 * loaded.  Simplified: the begin is seen with the next sample, up to a second late; reads that meet
 * a missing key cost the clients no extra trip to the record.
 */
#pragma once

#include "models/clients/levers.h"
#include "models/observe/recording.h"

typedef struct WorldStandby WorldStandby;

typedef struct {
    Member *member;
    uint32_t member_index;
    uint32_t source;
    uint64_t key_count; /* of the record */
    double keys_per_s;
    const Family *const *families;
    uint32_t family_count;
    const Levers *levers;
    Recording *recording;
    void (*log)(void *actor, SimTime at_ns, const char *kind, const char *subject, const char *what,
                const char *detail);
    void *log_actor;
} WorldStandbyConfig;

WorldStandby *world_standby_new(const WorldStandbyConfig *config);
void world_standby_free(WorldStandby *standby);

/* Between windows, every second: begins the rebuild when clients have come, notes its end. */
void world_standby_look(WorldStandby *standby, SimTime now_ns);
