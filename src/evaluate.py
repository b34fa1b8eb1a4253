"""Score a run, or a folder of pictures: `python src/evaluate.py run=run://latest n=2000`. README.md has the ways to call it."""

from stackgan.launch import cli
from stackgan.launch.evaluating import evaluate

if __name__ == "__main__":
    cli.run(evaluate, "evaluate")
