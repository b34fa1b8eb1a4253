"""Time and memory of cutting batches of 64 with crop, flip, another class's partner and the mean of four captions.

`python benchmarks/batches.py 2048 8192` makes random pictures of photographs' detail, so many each time, keeps them in each of
the three ways, and prints milliseconds a batch (median of 200, and of them the processor's) and by how much the process grew
meanwhile. Mapped memory is not counted: the system takes it back at any time.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from stackgan.data.batches import Arrays, Batches, Draw
from stackgan.data.cache import Cache, CacheAs
from stackgan.data.encoded import sink

BATCH, CAPTIONS, WIDTH, TIMES = 64, 10, 384, 200


def own_megabytes() -> float:
    """What this process holds that is not a mapped file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Rss")}
    return kilobytes["RssAnon"] / 1024


def photographs(count: int, size: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Random pictures with as much detail as photographs have: noise at several scales."""
    chance = np.random.default_rng(0)
    total = np.zeros((count, size, size, 3), np.float32)
    for scale, weight in ((size, 4), (size // 4, 12), (size // 16, 40)):
        coarse = torch.from_numpy(chance.normal(size=(count, 3, scale, scale)).astype(np.float32))
        fine = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
        total += weight * fine.permute(0, 2, 3, 1).numpy()
    return (total + 128).clip(0, 255).astype(np.uint8)


def arrays_of(folder: Path, kept: CacheAs, size: int, count: int) -> Arrays:
    """A cache of count pictures; 256 different ones, again and again."""
    cache = Cache(folder, folder, "whole", kept)
    (folder / "text").mkdir(parents=True, exist_ok=True)
    some = photographs(256, size)
    with sink(cache, count, size) as into:
        packed = [into.pack(row, some[row % 256]) for row in range(min(count, 256))] if kept != "pixels" else []
        for row in range(count):
            into.put(packed[row % 256] if packed else into.pack(row, some[row % 256]))
    text = folder / "text" / "x.npy"
    with cache.array(text, (count, CAPTIONS, WIDTH), np.float32) as vectors:
        for row in range(count):
            vectors[row] = row
    classes, sentences = np.arange(count) // 60, np.arange(count * CAPTIONS).reshape(count, CAPTIONS)
    safe = np.ones((count, CAPTIONS), np.bool_)
    return Arrays(cache.pictures(size), text, np.full(count, CAPTIONS), safe, classes, sentences, np.arange(count), None, None)


def timed(arrays: Arrays, resolution: int) -> tuple[float, float, float]:
    """Median in milliseconds, the processor's part of it, and megabytes that the process grew by."""
    rows = np.arange(len(arrays.class_N))
    batches = Batches(arrays, rows, Draw(resolution, BATCH, 0, 4, "image", True, True), 0, 1)
    batches[0]
    before, spent, worked = own_megabytes(), [], []
    for iteration in range(1, TIMES + 1):
        start, busy = time.perf_counter(), time.thread_time()
        batches[iteration]
        spent.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.thread_time() - busy))
    return statistics.median(spent), statistics.median(worked), own_megabytes() - before


def main() -> None:
    """Each way of keeping pictures, each size, two data sets of which one is four times the other."""
    counts = [int(word) for word in sys.argv[1:]] or [2048, 8192]
    torch.set_num_threads(1)  # cutting is copying in one thread; more of torch's only wait for each other
    print(f"{'kept as':8} {'cached':>6} {'cut':>4} {'pictures':>8} {'on disk':>8} {'median':>9} {'processor':>9} {'grew by':>8}")
    for kept in ("pixels", "jpeg", "webp"):
        for size, resolution in ((76, 64), (304, 256)):
            for count in counts:
                with tempfile.TemporaryDirectory(dir=os.environ.get("STACKGAN_CACHE")) as folder:
                    arrays = arrays_of(Path(folder), kept, size, count)  # type: ignore[arg-type]
                    on_disk = sum(path.stat().st_size for path in Path(folder).glob("whole*")) / 1e9
                    median, worked, grew = timed(arrays, resolution)
                what = f"{kept:8} {size:6} {resolution:4} {count:8,} {on_disk:5.2f} GB"
                print(f"{what} {median:6.1f} ms {worked:6.1f} ms {grew:5.1f} MB", flush=True)


if __name__ == "__main__":
    main()
