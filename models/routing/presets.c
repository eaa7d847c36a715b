/* Routing of clients and traffic managers people use, by name.
 *
 * Where the documentation and the code of a client disagree both are here, because the difference
 * is a finding (routing.md section 1.1 and 2, with the sources: redis/docs 63f31f6, redis/jedis
 * 9bcb5c602, redis/redis-py 34817ce2, MicrosoftDocs/azure-docs traffic-manager-monitoring.md).  A
 * traffic manager's TTL is never preset: its pages contradict each other, so the scenario must say
 * it.
 *
 * Simplified: the circuit breakers of the failover clients are left out (a detector of their own);
 * redis-py bounds the whole check by its timeout, which for a silent endpoint is the first probe's
 * timeout.
 */
#include "models/routing/routing.h"

#include <string.h>

static const RoutingPreset presets[] = {
    {"jedis", "Jedis MultiDb client, defaults of the code",
     "{\"select\": \"priority\","
     " \"detect\": {\"kind\": \"ping-all\", \"interval\": \"5s\", \"timeout\": \"1s\", \"probes\": "
     "3,"
     " \"delay\": \"500ms\", \"grace\": \"60s\"},"
     " \"retry\": {\"attempts\": 3, \"timeout\": \"2s\", \"backoff\": \"500ms\", \"x\": 2,"
     " \"max_class\": \"accum\"}}"},
    {"jedis-docs", "Jedis MultiDb client, defaults of the documentation",
     "{\"select\": \"priority\","
     " \"detect\": {\"kind\": \"ping-all\", \"interval\": \"1s\", \"timeout\": \"1s\", \"probes\": "
     "3,"
     " \"delay\": \"100ms\", \"grace\": \"60s\"},"
     " \"retry\": {\"attempts\": 3, \"timeout\": \"2s\", \"backoff\": \"500ms\", \"x\": 2,"
     " \"max_class\": \"accum\"}}"},
    {"redis-py", "redis-py MultiDb client, defaults of the code",
     "{\"select\": \"priority\","
     " \"detect\": {\"kind\": \"ping-all\", \"interval\": \"5s\", \"timeout\": \"3s\", \"probes\": "
     "3,"
     " \"delay\": \"500ms\", \"grace\": \"60s\"},"
     " \"retry\": {\"attempts\": 11, \"timeout\": \"5s\","
     " \"backoff\": {\"uniform\": {\"min\": \"0ms\", \"max\": \"10ms\"}}, \"x\": 2, \"cap\": "
     "\"1s\","
     " \"max_class\": \"accum\"}}"},
    {"redis-py-docs", "redis-py MultiDb client, defaults of the documentation",
     "{\"select\": \"priority\","
     " \"detect\": {\"kind\": \"ping-all\", \"interval\": \"5s\", \"timeout\": \"3s\", \"probes\": "
     "3,"
     " \"delay\": \"500ms\", \"grace\": \"60s\"},"
     " \"retry\": {\"attempts\": 4, \"timeout\": \"10s\","
     " \"backoff\": {\"uniform\": {\"min\": \"0ms\", \"max\": \"10ms\"}}, \"x\": 2, \"cap\": "
     "\"1s\","
     " \"max_class\": \"accum\"}}"},
    {"lettuce",
     "Lettuce MultiDb client: 60 s command timeout, commands sent again after a reconnect",
     "{\"select\": \"priority\","
     " \"detect\": {\"kind\": \"ping-all\", \"interval\": \"1s\", \"timeout\": \"1s\", \"probes\": "
     "3,"
     " \"delay\": \"100ms\", \"grace\": \"60s\"},"
     " \"retry\": {\"attempts\": 2, \"timeout\": \"60s\", \"max_class\": \"accum\"}}"},
    {"traffic-manager-10s", "Azure Traffic Manager with fast probing; name its ttl",
     "{\"select\": \"geo-nearest\","
     " \"detect\": {\"kind\": \"dns-tm\", \"interval\": \"10s\", \"timeout\": \"9s\", "
     "\"tolerated\": 3}}"},
    {"traffic-manager-30s", "Azure Traffic Manager with normal probing; name its ttl",
     "{\"select\": \"geo-nearest\","
     " \"detect\": {\"kind\": \"dns-tm\", \"interval\": \"30s\", \"timeout\": \"10s\", "
     "\"tolerated\": 3}}"},
};

const RoutingPreset *routing_preset_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(presets); i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}

size_t routing_preset_count(void)
{
    return G_N_ELEMENTS(presets);
}

const RoutingPreset *routing_preset_at(size_t index)
{
    return index < G_N_ELEMENTS(presets) ? &presets[index] : NULL;
}
