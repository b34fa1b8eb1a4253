"""Modes that read pictures, and the one that compares systems, called as from a shell on small runs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import Outcome, Program
from drawn_runs import style_state, write_run
from PIL import Image

import stackgan
from stackgan.core.shapes import Pictures
from stackgan.data.decode import squares
from stackgan.draw.mode import Request
from stackgan.draw.painter import Origin, Painter
from stackgan.draw.style import in_style
from stackgan.launch import pictures
from stackgan.launch.sampling import sample
from stackgan.text.hashing import HashingEncoder

SENTENCES = ["a red bird", "a blue bird", "a green bird"]
THREE = 'text=["a red bird","a blue bird","a green bird"]'
STYLE = "run=run://style_encoder/toybirds/one"


@pytest.fixture
def draw(program: Program) -> Program:
    """draw(*words): `src/sample.py words`, where logs/ has a Stage-I run, a style encoder above it, and pictures lie in art/."""
    write_run(Path("logs"))
    write_run(Path("logs"), **style_state())
    Path("art").mkdir()
    chance = np.random.default_rng(0)
    for name, size in (("b.png", (76, 76)), ("a.png", (200, 100)), ("c.jpg", (50, 70))):
        Image.fromarray(chance.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(Path("art") / name)

    def call(*words: str) -> Outcome:
        return program(*words, verb=sample, config="sample")

    return call


def written(ended: Outcome) -> Path:
    assert ended.code == 0, ended.err
    return Path(ended.out.splitlines()[-1].split(" (")[0]).parent


def file_of(folder: Path, sentence: str, place: int) -> "np.ndarray":
    about = json.loads((folder / "about.json").read_text())
    (start,) = [start for start, said in about["sentences"].items() if said == sentence]
    return np.asarray(Image.open(folder / "pictures" / f"{start}-0-{place}.png")).astype(int)


def test_every_sentence_in_every_picture_s_style(draw: Program) -> None:
    folder = written(draw(STYLE, "mode=style", "image=art", THREE, "mode.cell=64"))
    assert {path.name for path in folder.iterdir()} == {"style.png", "pictures", "about.json"}
    assert len(list((folder / "pictures").iterdir())) == 9
    assert json.loads((folder / "about.json").read_text())["images"] == ["art/a.png", "art/b.png", "art/c.jpg"]
    painter = stackgan.load("run://style_encoder/toybirds/one")
    read_NHWC = pictures.read([Path("art/a.png"), Path("art/b.png"), Path("art/c.jpg")], 64, False, False)
    style_NZ = painter.invert(read_NHWC)
    assert len({row.numpy().tobytes() for row in style_NZ}) == 3
    for place in range(3):
        alone = painter.sample(SENTENCES, n=1, same_noise=True, extras={"noise": style_NZ[place, None]}).pixels_NKHWC[:, 0]
        for sentence, picture in zip(SENTENCES, alone, strict=True):
            assert abs(file_of(folder, sentence, place) - picture).max() <= 1
    drawn = [file_of(folder, SENTENCES[0], place) for place in range(3)]
    assert abs(drawn[0] - drawn[1]).max() > 5, "a style that changes nothing would prove nothing"


def test_an_edit_keeps_the_style_and_changes_the_sentence(draw: Program) -> None:
    words = (STYLE, "mode=edit", "image=[art/a.png,art/b.png]", "mode.old='a red  bird'", 'text="a blue bird"', "mode.cell=64")
    edited = written(draw(*words))
    assert {path.name for path in edited.iterdir()} == {"edit-1.png", "edit-2.png", "pictures", "about.json"}
    crossed = written(draw(STYLE, "mode=style", "image=[art/a.png,art/b.png]", THREE))
    for sentence in SENTENCES[:2]:
        for place in range(2):
            assert abs(file_of(edited, sentence, place) - file_of(crossed, sentence, place)).max() <= 1
    assert draw(*words[:-2], 'text="a bird"', 'mode.old=""').complaint.startswith("mode.old: an empty sentence")
    assert draw(STYLE, "mode=edit", "image=art/a.png", 'text="a bird"').complaint.startswith("mode.old=???: needs a value")


def test_an_edit_s_chance_is_one_for_all_sentences() -> None:
    """The generator under it draws epsilons too: two ways of saying one thing in one style must differ by what is said alone."""
    drawn: list[torch.Tensor] = []

    class Sampler:
        resolution, takes = 4, frozenset[str]()

        def state_dict(self) -> dict[str, torch.Tensor]:
            return {"a": torch.zeros(1)}

        def invert(self, x_BCHW: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(x_BCHW), 2)

        def sample(self, text_BT, key_B, weights, walk, extras):
            drawn.append(key_B)
            return Pictures(torch.zeros(len(key_B), 3, 4, 4))

    request = Request(("one", "two"), 1, 0, False, "live", pixels_NHWC=np.zeros((3, 4, 4, 3), np.uint8))
    origin = Origin({"stage": {"recipe": {}}}, {}, None, 1, ("live",), {}, "here")
    in_style(Painter(Sampler(), HashingEncoder(name="hashing", dim=16, window=2), origin), request, request.sentences)
    assert len(drawn[0]) == 6
    assert len(drawn[0].unique()) == 1


def test_pictures_are_read_as_the_data_s_are() -> None:
    chance = np.random.default_rng(1)
    wide_HWC = chance.integers(0, 256, (100, 200, 3), dtype=np.uint8)
    Image.fromarray(wide_HWC).save("wide.png")
    (as_cached,) = squares(Path("wide.png"), (76,), False)
    (read,) = pictures.read([Path("wide.png")], 64, False, False)
    assert np.array_equal(read, as_cached[6:70, 6:70])
    Image.fromarray(read).save("drawn.png")
    assert np.array_equal(pictures.read([Path("drawn.png")], 64, False, True)[0], read)
    assert not np.array_equal(pictures.read([Path("drawn.png")], 64, False, False)[0], read)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_systems_side_by_side(draw: Program) -> None:
    write_run(Path("logs"), "stage=stage2", "stage.resolution=128", "text.dim=64", name="two")
    runs = ["run://stage1/toybirds/one", "run://stage2/toybirds/two", "run://style_encoder/toybirds/one"]
    folder = written(draw("mode=versus", f"runs=[{','.join(runs)}]", THREE, "n=2", "mode.cell=64"))
    assert folder == Path("logs/samples/versus-1")
    expected = {"1-stage1", "2-stage2", "3-style_encoder", "versus.png", "about.json"}
    assert {path.name for path in folder.iterdir()} == expected
    for run, place in zip(runs, sorted(expected)[:3], strict=True):
        drawn = stackgan.load(run).sample(SENTENCES, n=2).pixels_NKHWC
        files = {Image.open(path).tobytes() for path in (folder / place / "pictures").iterdir()}
        assert files == {picture.tobytes() for picture in drawn.reshape(6, *drawn.shape[2:])}
    about = json.loads((folder / "about.json").read_text())
    assert [by["source"].split("/")[1] for by in about["drawn_by"]] == ["stage1", "stage2", "style_encoder"]
    alone = written(draw("mode=versus", "run=run://stage1/toybirds/one", THREE))
    assert alone == Path("logs/stage1/toybirds/one/samples/versus-1")


REFUSED = {
    "no picture": ([STYLE, "mode=style", "text=a"], "mode=style: needs a picture; give image=<a file>"),
    "no sentence": ([STYLE, "mode=style", "image=art"], "mode=style: needs a sentence"),
    "no such file": ([STYLE, "mode=style", "text=a", "image=x.png"], "image=x.png: no such file; name a picture file"),
    "empty folder": ([STYLE, "mode=style", "text=a", "image=logs"], "image=logs: no pictures in this folder (."),
    "broken": ([STYLE, "mode=style", "text=a", "image=broken.png"], "image=broken.png: cannot be read as a picture (Unidentified"),
    "cut": ([STYLE, "mode=style", "text=a", "image=cut.png"], "image=cut.png: cannot be read as a picture (OSError)"),
    "not for reading": (["mode=sheet", "text=a", "image=art"], "image=art/a.png: mode=sheet reads no picture; set mode=style"),
    "no encoder": (["run=run://stage1/toybirds/one", "mode=style", "text=a", "image=art"], "run=logs/stage1/toybirds/one/checkp"),
    "several": (["runs=[a,b]", "text=a"], "runs=[a,b]: mode=sheet draws with one; set run=..., or mode=versus"),
    "none": (["runs=[]", "mode=versus", "text=a"], "runs=[]: needs systems to compare; give runs=[run://"),
    "one not there": (
        ["runs=[run://latest,run://stage1/toybirds/x]", "mode=versus", "text=a"],
        "run=run://stage1/toybirds/x: no ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(case: str, draw: Program) -> None:
    words, complaint = REFUSED[case]
    Path("broken.png").write_bytes(b"no picture")
    Path("cut.png").write_bytes(Path("art/a.png").read_bytes()[:999])
    assert draw(*words).complaint.startswith(complaint)
    assert not list(Path().rglob("samples"))


def test_styles_of_another_width_are_refused(draw: Program) -> None:
    painter = stackgan.load("run://style_encoder/toybirds/one")
    with pytest.raises(stackgan.core.errors.UserError, match="reads 100 numbers of noise a picture, and was given 3"):
        painter.sample("a bird", extras={"noise": torch.zeros(1, 3)})
