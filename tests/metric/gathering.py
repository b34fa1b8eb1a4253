"""One rank of a gloo group: `gathering.py RANK WORLD FOLDER` keeps its share of fixed rows and writes what compute() gave."""

import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed
from score_samples import judged, samples

from stackgan.metric.gathered import Gathered

N = 67
"""No multiple of 2 or 3."""
CHUNK = 6


def share(rank: int, world: int, uneven: bool) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Rows of a rank: strided, or all on the last rank but one, which leaves others with none. Row 0 comes twice where strided."""
    if uneven:
        return np.arange(N)[::-1].copy() if rank == max(world - 2, 0) else np.zeros(0, np.int64)
    return np.concatenate([np.arange(rank, N, world), [0]])


def gathered(rank: int, world: int, uneven: bool) -> Gathered:
    """What a rank would keep."""
    seen, keeper = samples(N, 0), Gathered()
    arrays = {**seen.arrays, "thumbnail": np.arange(N * 12, dtype=np.uint8).reshape(N, 2, 2, 3)}
    rows = share(rank, world, uneven)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        keeper.update(part, {name: array[part] for name, array in arrays.items()})
    return keeper


def main(rank: int, world: int, folder: Path) -> None:
    """Both ways of sharing; then the scores of what came together."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=world, timeout=timedelta(seconds=60)
    )
    torch.manual_seed(7)
    state, written = torch.random.get_rng_state(), {}
    for uneven in (False, True):
        index, arrays = gathered(rank, world, uneven).compute()
        written[uneven] = {"index": index, **arrays}
    seen, real = samples(N, 0), samples(50, 1)
    whole = type(seen)({name: arrays[name] for name in seen.arrays}, seen.sentences, seen.picture_N)
    scores = {
        f"{score.name}/{name}": [figure.value, *(figure.interval or ()), figure.spread or 0]
        for score in judged()
        for name, figure in score.compute(whole, {"real": real}).items()
    }
    torch.save(
        {
            "arrays": {uneven: {name: torch.from_numpy(array) for name, array in one.items()} for uneven, one in written.items()},
            "scores": scores,
            "chance": torch.equal(state, torch.random.get_rng_state()),
        },
        folder / f"rank-{rank}.pt",
    )
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
