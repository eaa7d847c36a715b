/* A group with constant traffic but for two bursts, and an alert that sees them: operators act at
 * known instants. */
#pragma once

#include "tests/world/world_fixture.h"

#define BURST_SEEN (50 * SIM_S) /* the burst from 40 s fills the bucket that ends here */

static const char operations_base[] =
    "{\"quintet\": \"scenario/1\", \"name\": \"operations\", \"duration\": \"3m\","
    " \"members\": {\"a\": {\"memory\": {\"max\": \"1GB\"}}, \"b\": {\"memory\": {\"max\": "
    "\"1GB\"}},"
    "               \"c\": {\"memory\": {\"max\": \"1GB\"}}},"
    " \"links\": {\"*\": {\"delay\": \"40ms\"}},"
    " \"sites\": {\"web\": {\"home\": \"a\", \"clients\": 5, \"rtt\": {\"a\": \"2ms\", \"b\": "
    "\"60ms\", \"c\": \"80ms\"}}},"
    " \"families\": {\"f\": {\"type\": \"string\", \"keys\": 10, \"retention\": \"op\","
    "               \"ops\": {\"SET\": 1, \"GET\": 1}}},"
    " \"workloads\": {\"w\": {\"site\": \"web\", \"rate\": \"20/s\", \"arrivals\": \"constant\","
    "               \"mix\": {\"f\": 1}, \"bursts\": {\"one\": {\"at\": \"40s\", \"for\": \"20s\","
    "               \"x\": 2}, \"two\": {\"at\": \"100s\", \"for\": \"20s\", \"x\": 2}}}},"
    " \"routing\": {\"select\": \"pin\", \"retry\": {\"attempts\": 1, \"timeout\": \"500ms\"}},"
    " \"alerts\": {\"busy\": {\"when\": \"rate(ops) > 30/s\", \"every\": \"1s\", \"notify\": "
    "\"oncall\"}},"
    " \"operators\": {\"oncall\": {\"ack\": \"3s\", \"decide\": \"4s\"}}}";
