"""Where does the time of a training step go? `python benchmarks/profile_step.py light/stage1` groups PyTorch's own profile.

The step is the tuned loop of throughput.py; cases are the same. Shares are of the time inside operators, on the CPU or the GPU.
"""

import sys
import tempfile

import torch
import torch.profiler
from throughput import CASES, bare_loops, job_of

GROUPS = {
    "convolution, backward": ("convolution_backward",),
    "convolution, forward": ("convolution", "conv2d", "conv_transpose"),
    "batch norm": ("batch_norm",),
    "Adam and averaging": ("adam", "lerp"),
    "copies, casts and concatenation": ("copy_", "to_copy", "aten::cat", "contiguous", "fill_", "zero_", "clone"),
    "upsampling": ("upsample",),
    "linear layers": ("addmm", "aten::mm", "aten::mv", "linear"),
    "activations": ("leaky_relu", "threshold", "tanh", "relu", "clamp"),
}
"""What a row sums up: operators whose name contains one of these words, the first that fits."""


def group_of(name: str) -> str:
    """The row that an operator belongs to."""
    return next((group for group, words in GROUPS.items() if any(word in name.lower() for word in words)), "the rest")


def main(cases: list[str], steps: int = 4) -> None:
    """A table a case."""
    for case in cases or list(CASES):
        with tempfile.TemporaryDirectory() as folder:
            loop = bare_loops(*job_of(case, folder), 1.0)[0]["tuned"]
            loop.step()
            with torch.profiler.profile() as profile:
                for _ in range(steps):
                    loop.step()
        seconds: dict[str, float] = {}
        for event in profile.key_averages():
            spent = event.self_device_time_total if torch.cuda.is_available() else event.self_cpu_time_total
            seconds[group_of(event.key)] = seconds.get(group_of(event.key), 0.0) + spent / 1e6 / steps
        total = sum(seconds.values())
        print(f"\n{case}, batch {CASES[case][0]}: {1000 * total:.0f} ms a step in operators\n\n| what | share |\n| --- | --: |")
        for name, spent in sorted(seconds.items(), key=lambda pair: -pair[1]):
            print(f"| {name} | {100 * spent / total:.0f} % |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
