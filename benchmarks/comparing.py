"""How long does compare.py take over many runs? `python benchmarks/comparing.py --runs 200`: seconds of the whole command.

--source: another checkout's src folder, compared by turns on the same runs. --times: how often each.

The runs are made here: settings of Stage-I, 40 variants of 5 seeds, a metrics.csv of 200 rows, a score card and a sheet each.
"""

import argparse
import copy
import functools
import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from hydra import compose, initialize_config_dir

from stackgan.launch import cli, schema
from stackgan.launch.places import CONF
from stackgan.plots.sheet import sheet
from stackgan.runs.folder import RunFolder

SRC = Path(__file__).parents[1] / "src"
SEEDS, ROWS, IMAGES = 5, 200, 160_000
PICTURES = {"name": "toybirds", "images": "made", "validation_classes": 0}


def main() -> None:
    """Make the runs, compare them, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--source", type=Path, default=None)
    parser.add_argument("--times", type=int, default=1)
    asked = parser.parse_args()
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = schema.check(compose("train", [f"stage.images={IMAGES}"]))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.runs):
            make(Path(folder), config, number)
        for turn in range(asked.times):
            for name, source in {"other": asked.source, "here": SRC}.items():
                if source is not None:
                    print(f"{asked.runs} runs, {name}: {compared(Path(folder), source, f'{name}{turn}')}", flush=True)


def compared(root: Path, source: Path, name: str) -> str:
    """Compare the runs under root once, with the program in this src folder."""
    command = [sys.executable, str(source / "compare.py"), f"runs=[{root}/stage1]", f"out={root}/out", f"name={name}"]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    page = root / "out" / f"{name}-1" / "index.html"
    return f"{seconds:.1f} s, {cpu:.1f} s of CPU, load {os.getloadavg()[0]:.1f}, page {page.stat().st_size / 2**20:.1f} MiB"


@functools.cache
def drawings() -> bytes:
    """A sheet as PNG that is as large as a real one, and about as hard to pack (407 KiB; one of toybirds has 367)."""
    chance = np.random.default_rng(0)
    blots = chance.integers(0, 256, (8, 4, 8, 8, 3), np.uint8).repeat(8, axis=2).repeat(8, axis=3)
    drawn = (blots.astype(int) + chance.integers(-12, 13, blots.shape)).clip(0, 255).astype(np.uint8)
    packed = io.BytesIO()
    sheet([("real", drawn[:, :1]), ("drawn", drawn[:, 1:])], ["a bird of eight words in a line"] * 8, "drawings").save(
        packed, "PNG"
    )
    return packed.getvalue()


def make(root: Path, config: dict[str, Any], number: int) -> None:
    """One finished run of variant number // SEEDS, with the size of files that real ones have."""
    variant, seed = divmod(number, SEEDS)
    mine = copy.deepcopy(config)
    mine["seed"] = mine["data"]["seed"] = seed
    mine["stage"]["recipe"]["kl_weight"] = variant / 10
    mine["stage"]["conditioning_augmentation"] = variant % 2 == 0
    run = RunFolder(root / "stage1" / "toybirds" / f"v{variant}-{seed}")
    run.begin(mine, {"commit": "made", "data": {"pictures": PICTURES}, "base": None})
    chance = random.Random(number)
    names = ["images_seen", "agreement/test/normalised", "diversity/within", *(f"term{place}" for place in range(20))]
    rows = ([(row + 1) * IMAGES // ROWS, *(round(chance.random(), 6) for _ in names[1:])] for row in range(ROWS))
    run.metrics.write_text("\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n")
    (run.sheets / f"seen-{IMAGES:09d}-test.png").write_bytes(drawings())
    card = {
        "value": 2 + chance.random(), "n": 2000, "protocol": {"splits": 10}, "higher_is_better": True,
        "judge": {"name": "made", "weights": "0" * 64}, "captions": {"split": "test", "real_pictures": 750, "repeats": 1},
        "pictures": {"images_seen": IMAGES, "weights": "average"}, "data": PICTURES,
    }  # fmt: skip
    figures = {"agreement/test/normalised": chance.random(), "diversity/within": chance.random(), "images_per_second": 60.0}
    run.finish({"images_seen": IMAGES, "seconds": 2600.0, **figures, "scores": {"inception_score/made": card}})


if __name__ == "__main__":
    main()
