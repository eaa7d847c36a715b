/* Why it works: a round has a number.  The caller raises it under the lock and wakes everyone; each
 * worker does the job once per number it sees, so a worker that wakes late still does its round
 * exactly once, and the next round cannot begin before it has reported.  The lock taken at both
 * ends of the job makes what the caller wrote before visible to the workers, and what they wrote
 * visible to the caller.
 *
 * Plain pthreads, not GLib's: the thread sanitizer sees through them.
 */
#include "sim/kernel_threads.h"

#include <pthread.h>
#include <stdbool.h>

#include <glib.h>

#include "sim/ensure.h"

struct KernelThreads {
    void (*job)(void *actor);
    void *actor;
    pthread_t *workers;
    uint32_t worker_count; /* without the caller */

    pthread_mutex_t lock;
    pthread_cond_t begin;
    pthread_cond_t end;
    uint64_t round;
    uint32_t busy_count;
    bool is_ending;
};

static void *worker_main(void *data)
{
    KernelThreads *threads = data;
    uint64_t done_round = 0;

    pthread_mutex_lock(&threads->lock);
    for (;;) {
        while (threads->round == done_round && !threads->is_ending)
            pthread_cond_wait(&threads->begin, &threads->lock);
        if (threads->is_ending)
            break;
        done_round = threads->round;
        pthread_mutex_unlock(&threads->lock);
        threads->job(threads->actor);
        pthread_mutex_lock(&threads->lock);
        if (--threads->busy_count == 0)
            pthread_cond_signal(&threads->end);
    }
    pthread_mutex_unlock(&threads->lock);
    return NULL;
}

KernelThreads *kernel_threads_new(uint32_t count, void (*job)(void *actor), void *actor)
{
    KernelThreads *threads = g_new0(KernelThreads, 1);

    ensure(count >= 1);
    threads->job = job;
    threads->actor = actor;
    threads->workers = g_new0(pthread_t, count);
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->begin, NULL);
    pthread_cond_init(&threads->end, NULL);
    /* A machine that has no more threads to give runs with those it gave: the result is the same.
     */
    while (threads->worker_count + 1 < count &&
           pthread_create(&threads->workers[threads->worker_count], NULL, worker_main, threads) ==
               0)
        threads->worker_count++;
    return threads;
}

void kernel_threads_free(KernelThreads *threads)
{
    if (!threads)
        return;
    pthread_mutex_lock(&threads->lock);
    threads->is_ending = true;
    pthread_cond_broadcast(&threads->begin);
    pthread_mutex_unlock(&threads->lock);
    for (uint32_t i = 0; i < threads->worker_count; i++)
        pthread_join(threads->workers[i], NULL);
    pthread_cond_destroy(&threads->end);
    pthread_cond_destroy(&threads->begin);
    pthread_mutex_destroy(&threads->lock);
    g_free(threads->workers);
    g_free(threads);
}

void kernel_threads_run(KernelThreads *threads)
{
    pthread_mutex_lock(&threads->lock);
    threads->busy_count = threads->worker_count;
    threads->round++;
    pthread_cond_broadcast(&threads->begin);
    pthread_mutex_unlock(&threads->lock);

    threads->job(threads->actor);

    pthread_mutex_lock(&threads->lock);
    while (threads->busy_count > 0)
        pthread_cond_wait(&threads->end, &threads->lock);
    pthread_mutex_unlock(&threads->lock);
}
