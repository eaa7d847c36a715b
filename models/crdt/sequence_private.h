/* The inside of a sequence, for models/crdt/sequence*.c alone.
 *
 * sequence_nodes.c knows nodes by their ids and their ranks among siblings, sequence.c how they
 * hang together.
 */
#pragma once

#include "models/crdt/sequence.h"

/* The places of a node and of its mark in the order. */
static inline uint32_t sequence_entry(uint32_t node)
{
    return node * 2;
}

static inline uint32_t sequence_mark(uint32_t node)
{
    return node * 2 + 1;
}

static inline OrderItem sequence_item(const Sequence *sequence, uint32_t node)
{
    const SequenceNode *placed = &sequence->nodes[node];

    return order_item(sequence_entry(node), !sequence_node_is(placed, NODE_SKIPPED),
                      !sequence_node_is(placed, NODE_REMOVED));
}

/* By what it is sorted among its siblings: its id, or what it has taken over. */
SequenceId sequence_rank(const Sequence *sequence, uint32_t node);
void sequence_rank_set(Sequence *sequence, uint32_t node, SequenceId rank);

/* The nodes of what a sequence begins with, into the empty one. */
void sequence_make_first(Sequence *sequence, uint32_t count);

/* Nothing leads to it any more but its id. */
void sequence_node_free(Sequence *sequence, uint32_t node);
