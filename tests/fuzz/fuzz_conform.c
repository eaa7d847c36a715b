/* Fuzzes the reader of conformance files: any bytes give a sound file or one error, never both.
 *
 * Of a sound file, what the runner relies on is looked at again, and each expected reply is written
 * and read once more: its text must be a reply form as well.
 */
#include <glib.h>
#include <string.h>

#include "sim/ensure.h"
#include "tools/conform_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_reply(const JsonNode *reply)
{
    g_autofree char *text = json_to_text(reply);
    g_autofree char *whole = g_strdup_printf(
        "{\"type\": \"x\", \"cases\": [{\"name\": \"a\", \"members\": 2, \"steps\": "
        "[{\"t\": 1, \"member\": 1, \"cmd\": [\"X\"], \"reply\": %s}]}]}",
        text);
    g_autoptr(ConformFile) again = NULL;

    /* Deeper by the case around it, and so perhaps too deep. */
    again = conform_file_parse("again", whole, strlen(whole), NULL);
    if (again) {
        g_autofree char *twice = json_to_text(conform_case_at(again, 0)->steps[0].reply);

        ensure(strcmp(text, twice) == 0);
    }
}

static void look_at(const ConformCase *of)
{
    ensure(of->name[0] != '\0');
    ensure(of->member_count >= 2 && of->member_count <= MEMBER_MAX);
    ensure(of->step_count > 0);
    for (uint32_t i = 0; i < of->step_count; i++) {
        const ConformStep *step = &of->steps[i];

        ensure(i == 0 || step->at_s >= step[-1].at_s);
        ensure(step->member <= of->member_count);
        ensure((step->member == 0) == (step->sync_members != 0));
        ensure(step->sender == 0 || (step->sync_members & (1u << (step->sender - 1))));
        ensure(step->effect_count == 0 || step->sender > 0);
        ensure(!step->words || !step->messages);
        ensure(step->member == 0 || step->words || step->messages || step->reply || step->waits);
        ensure(step->client < of->client_count);
        ensure(step->member == 0 || of->clients[step->client].member == step->member);
        if (step->words)
            ensure(step->words->count > 0);
        if (step->reply)
            look_at_reply(step->reply);
        if (step->messages)
            look_at_reply(step->messages);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConformFile) file = conform_file_parse("fuzz", (const char *)data, size, &error);

    ensure((file == NULL) == (error != NULL));
    for (uint32_t i = 0; file && i < conform_case_count(file); i++)
        look_at(conform_case_at(file, i));
    return 0;
}
