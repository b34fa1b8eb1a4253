"""Train one stage: `python src/train.py stage=stage2 data=oxford`. README.md has the ways to call it."""

from stackgan.devices import gathering
from stackgan.launch import cli, rank
from stackgan.launch.training import train

if __name__ == "__main__":
    with gathering.gathered(rank.take_part) as first:
        if first:
            cli.run(train)
