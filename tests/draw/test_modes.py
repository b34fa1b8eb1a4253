"""Every mode of sample.py, called as from a shell on small runs: what it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Outcome, Program
from drawn_runs import style_state, write_run
from PIL import Image

import stackgan
from stackgan.draw.swap import Swap
from stackgan.launch.places import CONF
from stackgan.launch.sampling import sample

STAGE2 = ("stage=stage2", "stage.resolution=128")
TWO = 'text=["a red bird, with black wings","a blue bird"]'


@pytest.fixture
def draw(program: Program) -> Program:
    """draw(*words): `src/sample.py words` on a small Stage-I run in logs/."""
    write_run(Path("logs"))

    def call(*words: str) -> Outcome:
        return program(*words, verb=sample, config="sample")

    return call


def written(ended: Outcome) -> Path:
    """The folder that a call filled."""
    assert ended.code == 0, ended.err
    (folder,) = {Path(line.split(" (")[0]).parent for line in ended.out.splitlines()[1:]}
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_sheet(draw: Program) -> None:
    folder = written(draw(TWO, "n=3", "seed=7"))
    assert folder == Path("logs/stage1/toybirds/one/samples/sheet-1")
    assert names(folder) == {"sheet.png", "pictures", "about.json"}
    drawn = stackgan.load().sample(["a red bird, with black wings", "a blue bird"], n=3, seed=7)
    files = sorted((folder / "pictures").iterdir())
    assert [path.stem.split("-", 1)[1] for path in files] == ["7-0", "7-1", "7-2"] * 2
    pixels = {Image.open(path).tobytes() for path in files}
    assert len(pixels) == 6
    assert pixels == {picture.tobytes() for picture in drawn.pixels_NKHWC.reshape(6, 64, 64, 3)}
    about = json.loads((folder / "about.json").read_text())
    assert set(about["sentences"]) == {path.name[:8] for path in files}
    assert set(about["sentences"].values()) == set(drawn.sentences)
    assert about["drawn_by"]["provenance"]["commit"] == "abc"


def test_a_second_stage_s_sheet_has_both_stages(draw: Program) -> None:
    write_run(Path("logs"), *STAGE2)
    folder = written(draw("run=run://stage2/toybirds/one", 'text="a bird"', "n=2"))
    assert names(folder) == {"sheet.png", "pictures", "pictures-stage1", "about.json"}
    assert names(folder / "pictures") == names(folder / "pictures-stage1")
    (one, _), (two, _) = (sorted((folder / place).iterdir()) for place in ("pictures-stage1", "pictures"))
    assert (Image.open(one).size, Image.open(two).size) == ((64, 64), (128, 128))
    # Text on the left, then two Stage-I and two Stage-II pictures of 128 px.
    assert Image.open(folder / "sheet.png").width > 256 + 4 * 128


def test_many_sentences_take_pages_and_many_noises_only_files(draw: Program, desk: Path) -> None:
    (desk / "s.txt").write_text("\n".join(f"bird number {number}" for number in range(5)), encoding="utf-8")
    folder = written(draw("file=s.txt", "n=3", "mode.rows=2", "mode.columns=1", "out=here"))
    assert folder == Path("here/sheet-1")
    assert {name for name in names(folder) if name.endswith("png")} == {"sheet-1.png", "sheet-2.png", "sheet-3.png"}
    assert len(names(folder / "pictures")) == 15


def test_nothing_is_overwritten(draw: Program) -> None:
    one, two = (written(draw('text="a bird"', "n=1", "out=here")) for _ in range(2))
    assert (one.name, two.name) == ("sheet-1", "sheet-2")
    assert names(Path("here")) == {"sheet-1", "sheet-2"}


@pytest.mark.parametrize(("same", "count"), [("true", 1), ("false", 2)])
def test_same_noise(same: str, count: int, draw: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an encoder that takes all sentences for one, only the noise can tell their pictures apart."""
    monkeypatch.setattr("stackgan.text.hashing.weighted_grams", lambda *_: {"bird": 1.0})
    folder = written(draw(TWO, "n=1", f"same_noise={same}"))
    assert len({Image.open(path).tobytes() for path in (folder / "pictures").iterdir()}) == count


def test_interpolate(draw: Program) -> None:
    folder = written(draw(TWO, "mode=interpolate", "n=2", "mode.steps=3", "mode.seconds=0.2", "mode.cell=64"))
    assert names(folder) == {"interpolate.png", "interpolate.gif", "about.json"}
    film = Image.open(folder / "interpolate.gif")
    assert film.n_frames == 6  # 4 there, 2 back
    assert film.info["duration"] == 200
    assert film.info["loop"] == 0
    assert film.height == 256
    # The strip's ends are the two sentences with the noise that all sentences share.
    strip = np.asarray(Image.open(folder / "interpolate.png"))
    ends = stackgan.load().sample(["a red bird, with black wings", "a blue bird"], n=1, same_noise=True).pixels_NKHWC[:, 0]
    assert all(occurs(picture, strip) for picture in ends)


def occurs(picture: "np.ndarray", page: "np.ndarray") -> bool:
    """Whether a page shows this picture somewhere, but for the rounding of another batch."""
    side, page, picture = len(picture), page.astype(int), picture.astype(int)
    corners = np.argwhere((abs(page[: 1 - side, : 1 - side] - picture[0, 0]) <= 1).all(-1))
    return any(abs(page[y : y + side, x : x + side] - picture).max() <= 1 for y, x in corners)


def test_noise(draw: Program) -> None:
    folder = written(draw('text="a bird"', "mode=noise", "n=3", "mode.steps=2", "mode.cell=64"))
    assert names(folder) == {"noise-grid.png", "noise-walk.png", "noise-walk.gif", "about.json"}
    assert Image.open(folder / "noise-walk.gif").n_frames == 10
    pictures = stackgan.load().sample("a bird", n=3).pixels_NKHWC[0]
    for page in ("noise-grid.png", "noise-walk.png"):
        assert all(occurs(picture, np.asarray(Image.open(folder / page))) for picture in pictures)


def test_swap(draw: Program) -> None:
    words = ('text="a red bird, red wings"', "mode=swap", "mode.old=red", "mode.new=[blue,'dark yellow']", "n=2", "mode.cell=64")
    folder = written(draw(*words))
    assert names(folder) == {"swap.png", "pictures", "about.json"}
    sentences = ["a red bird, red wings", "a blue bird, blue wings", "a dark yellow bird, dark yellow wings"]
    assert set(json.loads((folder / "about.json").read_text())["sentences"].values()) == set(sentences)
    pictures = stackgan.load().sample(sentences, n=2, same_noise=True).pixels_NKHWC
    page = np.asarray(Image.open(folder / "swap.png"))
    assert all(occurs(picture, page) for picture in pictures.reshape(6, 64, 64, 3))


def test_only_whole_words_are_swapped() -> None:
    assert Swap("red", r"\1 blue", 64).variants("a red, feathered, red-brown bird") == [
        "a red, feathered, red-brown bird", r"a \1 blue, feathered, \1 blue-brown bird"
    ]  # fmt: skip


def test_chart(draw: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(Path("logs"), *STAGE2)
    folder = written(draw("run=run://stage2/toybirds/one", TWO, "mode=chart", "n=3"))
    assert names(folder) == {"chart.png", "chart.json", "about.json"}
    numbers = json.loads((folder / "chart.json").read_text())
    assert list(numbers) == ["Stage-I 64 px", "stage2 128 px"]
    x_NKHWC = stackgan.load("run://stage2/toybirds/one").sample(
        ["a red bird, with black wings", "a blue bird"], n=3, same_noise=True
    ).pixels_NKHWC / 127.5 - 1  # fmt: skip
    within, across = (((x_NKHWC - x_NKHWC.mean(axis, keepdims=True)) ** 2).mean() ** 0.5 for axis in (1, 0))
    expected = {"diversity/across": across, "diversity/within": within}
    assert numbers["stage2 128 px"] == pytest.approx(expected, abs=1e-4)
    monkeypatch.setattr("stackgan.text.hashing.weighted_grams", lambda *_: {"bird": 1.0})
    ignored = json.loads((written(draw("run=run://stage1/toybirds/one", TWO, "mode=chart", "n=3")) / "chart.json").read_text())[
        "stage1 64 px"
    ]
    assert ignored["diversity/across"] == 0.0
    assert ignored["diversity/within"] > 0.01


def test_export(draw: Program) -> None:
    folder = written(draw("mode=export"))
    assert names(folder) == {"generator.safetensors", "about.json"}
    assert len({(folder / name).stat().st_mode for name in names(folder)}) == 1


def test_a_folder_appears_whole_or_not_at_all(draw: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stackgan.draw.sheet.save_pictures", full)
    assert draw('text="a bird"', "out=here").complaint == (
        "out=here: cannot be written (No space left on device); set out to a folder you can write"
    )
    assert names(Path("here")) == set()


REFUSED = {
    "no sentence": ([], "mode=sheet: needs a sentence; give 'text=\"a red bird\"', or file="),
    "empty": (["text="], 'text="": an empty sentence'),
    "blank": (['text="  "'], 'text="": an empty sentence'),
    "empty in a list": (["text=[a,'']"], 'text="": an empty sentence'),
    "both": (["text=a", "file=b"], "file=b: text is given too; give one of them"),
    "no file": (["file=none.txt"], "file=none.txt: cannot be read (No such file or directory)"),
    "one of two": (["text=a", "mode=interpolate"], "mode=interpolate: needs 2 sentences; give 'text=[\"a red bird\","),
    "one noise": ([TWO, "mode=chart", "n=1"], "n=1: mode=chart compares noises; set n=2 or more"),
    "no such word": (["text='a red bird'", "mode=swap", "mode.old=re", "mode.new=blue"], "mode.old=re: not a word of the sentence"),
    "no new word": (["text='a red bird'", "mode=swap", "mode.old=red", "mode.new=[]"], "mode.new=[]: needs words to put in"),
    "swap alone": (["text='a red bird'", "mode=swap", "mode.old=red"], "mode.new=???: needs a value"),
    "mode": (["mode=shet"], "mode=shet: no such choice; did you mean sheet? (mode has chart, "),
    "key": (["txt=a"], "txt=a: no such setting; did you mean text?"),
    "mode's key": (["text=a", "+mode.cels=3"], "mode.cels=3: no such setting; did you mean cell?"),
    "value": (["text=a", "n=0"], "n=0: input should be greater than 0"),
    "switch": (["text=true"], "text=true: input should be a valid string"),
    "weights": (["text=a", "weights=averaged"], "weights=averaged: input should be 'average' or 'live'; did you mean average?"),
    "class": (["text=a", "mode._target_=os.system"], "mode._target_=os.system: not a class that conf/ offers"),
    "training's": (["stage=stage2"], "stage=stage2: no such setting"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case: str, draw: Program) -> None:
    words, complaint = REFUSED[case]
    assert complaint in draw(*words).complaint
    assert not list(Path().rglob("samples"))


QUOTED = {
    'text="this flower has pink petals, and a yellow center"': "this flower has pink petals, and a yellow center",
    'text="a=b (c) [d] {e}: it\'s #1!"': "a=b (c) [d] {e}: it's #1!",
    "text='he said \"red\"'": 'he said "red"',
    'text="a \\"red\\" bird"': 'a "red" bird',
    "text=a red bird": "a red bird",
    "text=12": "12",
    'text="赤い鳥"': "赤い鳥",
    'text="two\nlines"': "two lines",
}


@pytest.mark.parametrize("word", QUOTED)
def test_sentences_under_hydra_s_grammar(word: str, draw: Program) -> None:
    folder = written(draw(word, "n=1"))
    assert list(json.loads((folder / "about.json").read_text())["sentences"].values()) == [QUOTED[word]]


@pytest.mark.parametrize(
    ("value", "way"),
    [
        ("a red bird, blue wings", "'text=\"a red bird, blue wings\"'"),
        ("a (red) bird", "'text=\"a (red) bird\"'"),
        ("赤い鳥", "'text=\"赤い鳥\"'"),
        ('a "red" bird\'s', '\'text="a \\"red\\" bird\'"\'"\'s"\''),
    ],
)
def test_a_sentence_that_hydra_cannot_read_is_shown_quoted(value: str, way: str, draw: Program) -> None:
    complaint = draw(f"text={value}").complaint
    assert complaint.startswith(f"text={value}: ")
    assert complaint.endswith(f"quote it for Hydra too: {way}")


NEEDS = {
    "swap": ("mode.old=bird", "mode.new=flower"),
    "style": ("image=picture.png",),
    "edit": ("image=picture.png", "mode.old='a green bird'"),
}
"""What a mode needs beside sentences."""


@pytest.mark.parametrize("mode", sorted({path.stem for path in (CONF / "sample" / "mode").glob("*.yaml")} - {"move"}))
def test_every_mode_draws_on_a_second_stage(mode: str, draw: Program) -> None:
    """Found by walking, so that a new mode needs no test here; those that read pictures get a style encoder above the stage.

    mode=move, which needs a system that is told a place: tests/program/test_gawwn_runs.py.
    """
    Image.new("RGB", (90, 60), "red").save("picture.png")
    stage = "style_encoder" if "image=picture.png" in NEEDS.get(mode, ()) else "stage2"
    write_run(Path("logs"), *STAGE2, **(style_state(*STAGE2) if stage == "style_encoder" else {}))
    words = (f"run=run://{stage}/toybirds/one", f"mode={mode}", *NEEDS.get(mode, ()))
    folder = written(draw(*words, TWO, "n=2"))
    assert folder == Path(f"logs/{stage}/toybirds/one/samples/{mode}-1")
    assert names(folder) > {"about.json"}


@pytest.mark.parametrize("sentence", ["red bird " * 1_111, "x" * 10_000, "赤い鳥 с чёрными крыльями 🐦", "!!!"])
def test_odd_sentences_are_drawn(sentence: str, draw: Program, desk: Path) -> None:
    (desk / "s.txt").write_text(sentence, encoding="utf-8")
    ended = draw("file=s.txt", "n=1")
    folder = written(ended)
    (picture,) = (folder / "pictures").iterdir()
    assert len(picture.name) == len("12345678-0-0.png")
    assert Image.open(folder / "sheet.png").height < 400
    assert ("finds nothing it can read" in ended.err) == (sentence == "!!!")


def test_a_multirun_fills_a_folder_a_job(draw: Program) -> None:
    ended = draw("-m", 'text="a bird, red","a bird"', "n=1", "out=here")
    assert ended.code == 0, ended.err
    found = [json.loads((Path("here") / name / "about.json").read_text())["sentences"] for name in ("sheet-1", "sheet-2")]
    assert [list(one.values()) for one in found] == [["a bird, red"], ["a bird"]]
