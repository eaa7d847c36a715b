/* Why it works: every change of a born key passes change_apply, which tells the few watches there
 * are; a full sync may change any key and tells them all.  A deadline passes without any change, so
 * that is looked at when the answer is asked for. */
#include "models/data/store_private.h"

#include <string.h>

struct StoreWatch {
    char *name;
    uint32_t bytes;
    bool existed;
    bool changed;
};

static bool is_visible(Store *store, const StoreWatch *watch, WallTime now)
{
    PayloadText name = {watch->name, watch->bytes};
    Key key = key_of_name(store, name, name_hash(name.data, name.bytes));

    return key_exists(store, &key) && !key_is_expired(store, &key, now);
}

StoreWatch *store_watch_begin(Store *store, PayloadText name, WallTime now)
{
    StoreWatch *watch = g_new0(StoreWatch, 1);

    watch->name = g_memdup2(name.data, name.bytes);
    watch->bytes = name.bytes;
    watch->existed = is_visible(store, watch, now);
    if (!store->watches)
        store->watches = g_ptr_array_new();
    g_ptr_array_add(store->watches, watch);
    return watch;
}

bool store_watch_changed(Store *store, const StoreWatch *watch, WallTime now)
{
    return watch->changed || watch->existed != is_visible(store, watch, now);
}

void store_watch_end(Store *store, StoreWatch *watch)
{
    g_ptr_array_remove_fast(store->watches, watch);
    g_free(watch->name);
    g_free(watch);
}

void watches_tell(Store *store, const Key *key)
{
    for (guint i = 0; store->watches && i < store->watches->len; i++) {
        StoreWatch *watch = store->watches->pdata[i];

        if (!key || payload_text_is_equal((PayloadText){watch->name, watch->bytes}, key->name))
            watch->changed = true;
    }
}
