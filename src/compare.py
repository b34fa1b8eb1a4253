"""Set runs side by side: `python src/compare.py runs=[sweeps/ablation]`. README.md has the ways to call it."""

from stackgan.launch import cli
from stackgan.launch.comparing import compare

if __name__ == "__main__":
    cli.run(compare, "compare")
