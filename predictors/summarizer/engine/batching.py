"""How the tokens of one batch are shared among the answers in progress."""

from collections.abc import Sequence

from predictors.summarizer.engine.slots import Slot


def share_batch(decoding: Sequence[Slot], prefilling: Sequence[Slot], batch_tokens: int) -> list[tuple[Slot, int]]:
    """Decide how many tokens of each slot go into the next batch.

    Each answer that is being decoded gets its one token. Half of the rest goes to the oldest prompt in prefill, the
    other half to the shortest: a short prompt overtakes a long one, and the long one still progresses.

    Args:
        decoding: slots with one pending token, the one generated last.
        prefilling: slots whose prompt is not in the KV cache yet, oldest first.
        batch_tokens: most tokens in the batch.

    Returns:
        Slots with their number of tokens, by sequence number: llama.cpp decodes consecutive sequences together.
    """
    counts: dict[Slot, int] = dict.fromkeys(decoding, 1)
    room = batch_tokens - len(decoding)
    if prefilling:
        oldest = prefilling[0]
        counts[oldest] = min(oldest.pending, room if len(prefilling) == 1 else room // 2)
        room -= counts[oldest]
        for slot in sorted(prefilling, key=lambda slot: slot.pending):
            count = min(slot.pending - counts.get(slot, 0), room)
            if count:
                counts[slot] = counts.get(slot, 0) + count
                room -= count
    return sorted(counts.items(), key=lambda entry: entry[0].sequence)
