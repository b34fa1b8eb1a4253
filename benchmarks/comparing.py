"""How long does compare.py take over many runs? `python benchmarks/comparing.py --runs 200`: seconds of the whole command.

The runs are made here: settings of Stage-I, 40 variants of 5 seeds, a metrics.csv of 200 rows, a score card and a sheet each.
"""

import argparse
import copy
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from hydra import compose, initialize_config_dir
from PIL import Image

from stackgan.launch import cli, schema
from stackgan.launch.places import CONF
from stackgan.runs.folder import RunFolder

SRC = Path(__file__).parents[1] / "src"
SEEDS, ROWS, IMAGES = 5, 200, 160_000
SHEET = np.random.default_rng(0).integers(0, 256, (1175, 848, 3), np.uint8)
PICTURES = {"name": "toybirds", "images": "made", "validation_classes": 0}


def main() -> None:
    """Make the runs, compare them, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = schema.check(compose("train", [f"stage.images={IMAGES}"]))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            make(Path(folder), config, number)
        command = [sys.executable, str(SRC / "compare.py"), f"runs=[{folder}/stage1]", f"out={folder}/out", "name=all"]
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begun
        page = Path(folder) / "out" / "all-1" / "index.html"
        print(f"{runs} runs: {seconds:.1f} s, page {page.stat().st_size / 2**20:.1f} MiB", flush=True)


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
    Image.fromarray(SHEET).save(run.sheets / f"seen-{IMAGES:09d}-test.png", compress_level=1)
    card = {
        "value": 2 + chance.random(), "n": 2000, "protocol": {"splits": 10}, "higher_is_better": True,
        "judge": {"name": "made", "weights": "0" * 64}, "captions": {"split": "test", "real_pictures": 750, "repeats": 1},
        "pictures": {"images_seen": IMAGES, "weights": "average"}, "data": PICTURES,
    }  # fmt: skip
    figures = {"agreement/test/normalised": chance.random(), "diversity/within": chance.random(), "images_per_second": 60.0}
    run.finish({"images_seen": IMAGES, "seconds": 2600.0, **figures, "scores": {"inception_score/made": card}})


if __name__ == "__main__":
    main()
