/* Why it works: only the newest star ever needs to give way, because what an older one could still
 * take, the newer one can take as well; so the walk goes back to one place at most, and a pattern
 * of many stars costs pattern times text, never more. */
#include "models/data/glob.h"

/* One character class, from behind its bracket; *at moves behind the closing one (an open class
 * ends with the pattern). */
static bool class_holds(PayloadText pattern, uint32_t *at, unsigned char c)
{
    bool negated = *at < pattern.bytes && pattern.data[*at] == '^';
    bool found = false;

    *at += negated;
    while (*at < pattern.bytes && pattern.data[*at] != ']') {
        uint32_t left = pattern.bytes - *at;
        unsigned char low = (unsigned char)pattern.data[*at];
        unsigned char high = low;

        if (low == '\\' && left >= 2) {
            low = high = (unsigned char)pattern.data[++*at];
        } else if (left >= 3 && pattern.data[*at + 1] == '-') {
            high = (unsigned char)pattern.data[*at + 2];
            *at += 2;
        }
        found |= low <= high ? c >= low && c <= high : c >= high && c <= low;
        ++*at;
    }
    *at += *at < pattern.bytes;
    return found != negated;
}

/* Whether the item of the pattern at *at, which is no star, takes c; *at moves behind it. */
static bool item_takes(PayloadText pattern, uint32_t *at, unsigned char c)
{
    unsigned char item = (unsigned char)pattern.data[(*at)++];

    if (item == '?')
        return true;
    if (item == '[')
        return class_holds(pattern, at, c);
    if (item == '\\' && *at < pattern.bytes)
        item = (unsigned char)pattern.data[(*at)++];
    return item == c;
}

/* An empty text is matched by no pattern but the empty one and the single star, as in Redis. */
bool glob_matches(PayloadText pattern, PayloadText text)
{
    uint32_t at = 0;
    uint32_t read = 0;
    uint32_t star = UINT32_MAX;
    uint32_t star_read = 0;

    if (text.bytes == 0)
        return pattern.bytes == 0 || (pattern.bytes == 1 && pattern.data[0] == '*');
    while (read < text.bytes) {
        uint32_t next = at;

        if (at < pattern.bytes && pattern.data[at] == '*') {
            star = at++;
            star_read = read;
        } else if (at < pattern.bytes &&
                   item_takes(pattern, &next, (unsigned char)text.data[read])) {
            at = next;
            read++;
        } else if (star != UINT32_MAX) {
            at = star + 1;
            read = ++star_read;
        } else {
            return false;
        }
    }
    while (at < pattern.bytes && pattern.data[at] == '*')
        at++;
    return at == pattern.bytes;
}
