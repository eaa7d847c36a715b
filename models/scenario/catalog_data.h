/* The text of the carried data files (scenarios/data), NUL-terminated. */
#pragma once

extern const char catalog_regions_csv[];
extern const char catalog_rtt_csv[];
extern const char catalog_skus_csv[];
