/* Why it works: names of a family differ in their number alone, so all are taken as long as the
 * last. */
#include "models/data/family.h"

#include <string.h>

#include "models/crdt/body.h"
#include "models/crdt/crdt.h"

static uint32_t digits_of(uint64_t number)
{
    uint32_t digits = 1;

    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

uint32_t family_key_name_bytes(const Family *family)
{
    if (family->key_name_bytes > 0)
        return family->key_name_bytes;
    return (uint32_t)(family->name ? strlen(family->name) : 0) + 1 + digits_of(family->key_count);
}

uint32_t family_field_name_bytes(const Family *family)
{
    return family->field_name_bytes > 0 ? family->field_name_bytes
                                        : 1 + digits_of(family->field_count);
}

bool family_type_has_fields(int type)
{
    const CrdtType *crdt = crdt_types[type];

    return crdt->has_elements || (crdt->body && crdt->body->fields != BODY_FIELDS_NONE);
}

uint32_t family_start_elements(const Family *family)
{
    const BodyRule *body = crdt_types[family->type]->body;
    uint32_t fields = family->field_count > 0 ? family->field_count : 1;

    return body && body->fields == BODY_FIELDS_DRAWN ? fields - fields / 2 : fields;
}
