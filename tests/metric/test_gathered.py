"""What ranks saw comes together the same, bit for bit, whatever their number and shares."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gathering
import numpy as np
import pytest
import torch
from score_samples import samples

import stackgan
from stackgan.metric.gathered import Gathered

WHOLE = samples(gathering.N, 0)


def test_one_process_sorts_and_drops_what_came_twice() -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    keeper = Gathered()
    keeper.update(np.array([5, 2]), {"features": np.array([[5.0], [2.0]], np.float32)})
    keeper.update(np.array([2, 9, 0]), {"features": np.array([[7.0], [9.0], [0.0]], np.float32)})
    index, arrays = keeper.compute()
    assert index.tolist() == [0, 2, 5, 9]
    assert arrays["features"].dtype == np.float32
    assert arrays["features"].tolist() == [[0], [2], [5], [9]]
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_rows_are_copied_and_a_reset_forgets_them() -> None:
    keeper, array = Gathered(), np.array([[1.0]])
    keeper.update(np.array([0]), {"features": array})
    array[:] = 8
    assert keeper.compute()[1]["features"] == 1
    keeper.update(np.array([1]), {"features": array})
    assert keeper.compute()[1]["features"].tolist() == [[1], [8]]
    keeper.reset()
    index, arrays = keeper.compute()
    assert (index.shape, arrays) == ((0,), {})
    keeper.update(np.array([3]), {"features": array})
    assert keeper.compute()[1]["features"].tolist() == [[8]]


def test_rows_that_do_not_fit_are_refused() -> None:
    keeper = Gathered()
    with pytest.raises(ValueError, match=r"2 rows, but \{'features': 1\}"):
        keeper.update(np.array([0, 1]), {"features": np.zeros((1, 3))})
    keeper.update(np.array([0]), {"features": np.zeros((1, 3))})
    with pytest.raises(ValueError, match=r"arrays \['logits'\] after \['features'\]"):
        keeper.update(np.array([1]), {"logits": np.zeros((1, 3))})


def ranks(world: int, folder: Path) -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(stackgan.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(gathering.__file__))]
    running = [
        subprocess.Popen([*command, str(rank), str(world), str(folder)], env=environment, stderr=subprocess.PIPE, text=True)
        for rank in range(world)
    ]
    try:
        for process in running:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
    finally:
        for process in running:
            process.kill()
    return [torch.load(folder / f"rank-{rank}.pt") for rank in range(world)]


@pytest.mark.slow
@pytest.mark.ddp
def test_one_two_and_three_ranks_have_the_same_arrays_and_scores(tmp_path: Path) -> None:
    alone = None
    for world in (1, 2, 3):
        folder = tmp_path / str(world)
        folder.mkdir()
        found = ranks(world, folder)
        for rank in found:
            assert rank["chance"]
            for shared in rank["arrays"].values():
                assert shared["index"].tolist() == list(range(gathering.N))
                for name, array in WHOLE.arrays.items():
                    assert shared[name].numpy().dtype == array.dtype
                    np.testing.assert_array_equal(shared[name].numpy(), array)
                assert shared["thumbnail"].flatten().tolist() == [i % 256 for i in range(gathering.N * 12)]
        alone = alone or found[0]["scores"]
        assert len(alone) == 8
        assert all(rank["scores"] == alone for rank in found)
