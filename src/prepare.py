"""Check a data set and write its cache: `python src/prepare.py data=oxford`. Training does this by itself where it is missing."""

from stackgan.launch import cli
from stackgan.launch.preparing import prepare

if __name__ == "__main__":
    cli.run(prepare, "prepare")
