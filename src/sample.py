"""Draw a sentence: `python src/sample.py 'text="a red bird with black wings"'`. README.md has the ways to call it."""

from stackgan.launch import cli
from stackgan.launch.sampling import sample

if __name__ == "__main__":
    cli.run(sample, "sample")
