"""prepare.py asks nothing of a data set that only training needs."""

from pathlib import Path

from commands import Program
from PIL import Image

from stackgan.launch.preparing import prepare


def test_a_set_smaller_than_a_batch_is_prepared_and_then_refused_by_training(program: Program, desk: Path) -> None:
    for number in range(3):
        Image.new("RGB", (80, 80), (number * 100, 0, 0)).save(desk / f"{number}.png")
        (desk / f"{number}.txt").write_text(f"picture number {number}\n")
    ended = program(
        "data=folder", f"data.root={desk}", "data.resolution=64", "data.first_resolution=null", verb=prepare, config="prepare"
    )
    assert ended.code == 0, ended.err
    assert "folder: 3 pictures, 3 captions" in ended.out
    complaint = program("data=folder", f"data.root={desk}", "logger=none").complaint
    assert complaint.startswith("data.batch_size=64: there are only 3 training pictures")
