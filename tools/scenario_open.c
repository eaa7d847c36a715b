/* Why it works: one byte more than a scenario may have is read and no further, so a file that is
 * far too large costs no memory before the loader refuses it.
 */
#include "tools/scenario_open.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static void fail_reading(const char *path, int code, GError **error)
{
    g_set_error(error, QUINTET_ERROR, QUINTET_ERROR_IO, "%s: cannot read the scenario: %s", path,
                g_strerror(code));
}

static char *read_at_most(const char *path, size_t limit, size_t *out_size, GError **error)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    GString *text;
    char buffer[1 << 16];
    size_t count;

    if (!file) {
        fail_reading(path, errno, error);
        return NULL;
    }
    if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
        fail_reading(path, EISDIR, error);
        fclose(file);
        return NULL;
    }
    text = g_string_new(NULL);
    while (text->len < limit && (count = fread(buffer, 1, sizeof(buffer), file)) > 0)
        g_string_append_len(text, buffer, (gssize)MIN(count, limit - text->len));
    if (ferror(file)) {
        fail_reading(path, errno, error);
        fclose(file);
        g_string_free(text, TRUE);
        return NULL;
    }
    fclose(file);
    *out_size = text->len;
    return g_string_free(text, FALSE);
}

ScenarioFile *scenario_open(const char *path, char *const *sets, GError **error)
{
    size_t size = 0;
    g_autofree char *text = read_at_most(path, (size_t)JSON_BYTES_MAX + 1, &size, error);
    ScenarioSource source = {
        .file = path, .text = text, .size = size, .sets = (const char *const *)sets};

    if (!text)
        return NULL;
    return scenario_file_load(&source, error);
}
