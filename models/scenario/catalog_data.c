/* The data files, placed into the program by the assembler, so that nothing is read at run time.
 *
 * .incbin finds them through the include path; each ends with a NUL.
 */
#include "models/scenario/catalog_data.h"

#define EMBED(symbol, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".global " #symbol "\n"                                                                \
            ".type " #symbol ", @object\n" #symbol ":\n"                                           \
            ".incbin \"" file "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".size " #symbol ", . - " #symbol "\n"                                                 \
            ".previous\n")

EMBED(catalog_regions_csv, "scenarios/data/regions.csv");
EMBED(catalog_rtt_csv, "scenarios/data/region-rtt.csv");
EMBED(catalog_skus_csv, "scenarios/data/skus.csv");
