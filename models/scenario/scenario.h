/* A scenario: what the user wrote, checked and immutable.
 *
 * A file holds a base and its variants (RFC 7396 merge patches); each variant becomes a Scenario of
 * its own, parsed and checked at load, so a mistake in a variant nobody runs today is found today.
 * Shapes, units and ranges come from parameter tables (the schema is generated from the same);
 * references, cycles, lints and expressions are checked here.  Reading files from disk is the
 * caller's business.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/clients/site.h"
#include "models/faults/fault.h"
#include "models/observe/expression.h"
#include "models/operators/operators.h"
#include "sim/json_read.h"
#include "sim/param.h"

typedef struct Scenario
    Scenario; /* models/scenario/scenario_parts.h: the parsed structs, for world and lints */
typedef struct ScenarioFile ScenarioFile;

typedef struct {
    const char *file; /* name used in messages */
    const char *text;
    size_t size;
    const char *const
        *sets; /* "path=value", NULL-terminated, or NULL: applied to the base before variants */
} ScenarioSource;

ScenarioFile *scenario_file_load(const ScenarioSource *source, GError **error);
void scenario_file_free(ScenarioFile *file);

const Scenario *scenario_base(const ScenarioFile *file);
uint32_t scenario_variant_count(const ScenarioFile *file);
const Scenario *scenario_variant_at(const ScenarioFile *file,
                                    uint32_t index); /* in document order */
const Scenario *scenario_variant(const ScenarioFile *file,
                                 const char *name); /* "" and NULL: the base */
/* false for a variant that only expectations name which this version cannot judge; it runs when
 * asked for. */
bool scenario_runs_by_default(const ScenarioFile *file, const Scenario *scenario);
const char *scenario_text(const ScenarioFile *file); /* canonical, as kept in results */
uint64_t scenario_hash(const ScenarioFile *file);    /* of scenario_text */

const char *scenario_name(const Scenario *scenario);
const char *scenario_title(const Scenario *scenario);        /* may be "" */
const char *scenario_about(const Scenario *scenario);        /* of the variant, or of the file */
const char *scenario_variant_name(const Scenario *scenario); /* "" for the base */
uint64_t scenario_seed(const Scenario *scenario);
uint32_t
scenario_seeds(const Scenario *scenario); /* repetitions, at least 1; run i uses seed + i */
SimTime scenario_duration_ns(const Scenario *scenario);
uint32_t scenario_slice(const Scenario *scenario); /* 1: none */

typedef struct {
    const char *id;
    const char *why;     /* may be "" */
    const char *variant; /* "" for the base */
    const char *phase;
    const char *text; /* as written */
    bool must;
    const Expression *expression; /* NULL when unsupported */
    const char *unsupported;      /* why this build cannot judge it, NULL: it can */
} Expectation;

uint32_t scenario_expectation_count(const ScenarioFile *file);
const Expectation *scenario_expectation_at(const ScenarioFile *file, uint32_t index);

/* Names for reports, in document order. */
uint32_t scenario_member_count(const Scenario *scenario);
const char *scenario_member_name(const Scenario *scenario, uint32_t index);
uint32_t scenario_site_count(const Scenario *scenario);
const char *scenario_site_name(const Scenario *scenario, uint32_t index);

/* Advice that is not an error, and what a later version will bring; each cites its rule. */
typedef enum { LINT_OK, LINT_NOTE, LINT_WARNING } LintLevel;

typedef struct {
    LintLevel level;
    const char *place; /* "members.us.memory.max", or "" */
    const char *text;
    const char *source; /* the document the rule comes from, or "" */
} Lint;

uint32_t scenario_lint_count(const ScenarioFile *file);
const Lint *scenario_lint_at(const ScenarioFile *file, uint32_t index);

extern const ParamTable scenario_table; /* the whole document, for the schema */

/* All plug-in families of the program, for `quintet list`. */
extern const PluginFamily *const scenario_plugin_families[];
extern const uint32_t scenario_plugin_family_count;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenarioFile, scenario_file_free)
