"""Oxford-102 flowers (Nilsback and Zisserman 2008) with the captions of Reed et al. (2016).

Layout: `jpg/image_00001.jpg ...`, `imagelabels.mat` (one class 1..102 a picture), captions in
`text_c10/class_00001/image_06734.txt` or flat in `text_c10/image_06734.txt`. Optional: `cat_to_name.json` (class
names); `trainvalclasses.txt` and `testclasses.txt` (Reed's class split), here or in `text_c10/`.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from stackgan.data.module import CaptionedPictures
from stackgan.data.records import Problem, Record, Source, Split, read_captions, unusable

WAY_OUT = (
    "Expected: jpg/ and imagelabels.mat of https://www.robots.ox.ac.uk/~vgg/data/flowers/102/ and text_c10/ of "
    "https://github.com/reedscot/icml2016"
)


class OxfordData(CaptionedPictures):
    """Oxford-102: whole pictures, 82 train and 20 test classes."""

    def read(self) -> Source:
        """See read_oxford."""
        return read_oxford(Path(self.root))


def read_oxford(root: Path) -> Source:
    """All pictures, in the order of their numbers. Raises UserError."""
    labels = _labels(root)
    problems = _missing_pictures(root, len(labels))
    missing = {problem.key for problem in problems}
    test, note = split_classes(root, set(labels))
    names = _class_names(root / "cat_to_name.json")
    records = []
    nested = any((root / "text_c10").glob("class_*/"))
    for number, class_id in enumerate(labels, start=1):
        key = f"image_{number:05d}"
        folder = root / "text_c10" / f"class_{class_id:05d}" if nested else root / "text_c10"
        captions = read_captions(folder / f"{key}.txt", problems, key)
        name = names.get(str(class_id), f"class_{class_id:05d}")
        split: Split = "test" if class_id in test else "train"
        if captions and key not in missing:
            records.append(Record(key, root / "jpg" / f"{key}.jpg", captions, class_id, name, split))
    way_out = f"Is the download complete? {WAY_OUT}" if missing else WAY_OUT
    return Source(tuple(records), note, tuple(problems), way_out)


def split_classes(root: Path, classes: set[int]) -> tuple[frozenset[int], str]:
    """The test classes and where they come from: Reed's two files where present, else own_test_classes."""
    files = {
        name: path
        for name in ("trainvalclasses.txt", "testclasses.txt")
        for path in (root / "text_c10" / name, root / name)
        if path.is_file()
    }
    if not files:
        test = own_test_classes(classes)
        counts = f"{len(classes) - len(test)} train, {len(test)} test"
        return test, f"our own split by class, since there is no trainvalclasses.txt: {counts}"
    if len(files) == 1:
        what = f"{next(iter(files))} is there without its partner"
        raise unusable(root, what, "Bring both trainvalclasses.txt and testclasses.txt, or remove it to use our own split")
    train, test = (_listed(root, files[name]) for name in ("trainvalclasses.txt", "testclasses.txt"))
    if train & test or train | test != classes:
        wrong = sorted(train & test) or sorted((train | test) ^ classes)
        what = f"trainvalclasses.txt and testclasses.txt must name each of the {len(classes)} classes once"
        raise unusable(root, what, f"Look at class_{wrong[0]:05d}, or remove both files to use our own split")
    return test, f"Reed's split by class: {len(train)} train, {len(test)} test"


def own_test_classes(classes: Iterable[int]) -> frozenset[int]:
    """20 of 102 (as large a share of fewer): the first by sha256 of "oxford102/<class>". Fixed: results rest on it."""
    ordered = sorted(set(classes), key=lambda c: hashlib.sha256(f"oxford102/{c}".encode()).hexdigest())
    return frozenset(ordered[: round(len(ordered) * 20 / 102)])


def _listed(root: Path, path: Path) -> frozenset[int]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    try:
        return frozenset(int(line.removeprefix("class_")) for line in lines if line)
    except ValueError as error:
        way_out = "Write one class_00001 a line, or remove both class lists to use our own split"
        raise unusable(root, f"{path.name} is no list of classes ({error})", way_out) from error


def _labels(root: Path) -> list[int]:
    if not root.is_dir():
        raise unusable(root, "no such folder", f"{WAY_OUT}. Or set data.root or paths.data to where they are")
    missing = [name for name in ("jpg", "imagelabels.mat", "text_c10") if not (root / name).exists()]
    if missing:
        raise unusable(root, f"no {', no '.join(missing)} in it", WAY_OUT)
    from scipy.io import loadmat  # takes a third of a second to import, and only this data set needs it

    try:
        labels = [int(label) for label in loadmat(root / "imagelabels.mat")["labels"].ravel()]
    except Exception as error:  # scipy raises many kinds for a file that is not what it says
        raise unusable(root, f"imagelabels.mat has no readable 'labels' ({error})", WAY_OUT) from error
    if not labels or min(labels) < 1:
        raise unusable(root, "imagelabels.mat must hold classes from 1 upwards", WAY_OUT)
    return labels


def _missing_pictures(root: Path, expected: int) -> list[Problem]:
    found = {path.name for path in (root / "jpg").iterdir() if path.suffix == ".jpg"}
    wanted = {f"image_{number:05d}.jpg" for number in range(1, expected + 1)}
    missing = sorted(wanted - found)
    extra = sorted(found - wanted)
    if extra and not missing:
        what = f"imagelabels.mat has {expected:,} labels for {len(found):,} pictures, {extra[0]} has none"
        raise unusable(root, what, WAY_OUT)
    what = f"missing, imagelabels.mat has {expected:,} labels"
    return [Problem(root / "jpg" / name, what, name.removesuffix(".jpg")) for name in missing]


def _class_names(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        return {str(key): str(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError) as error:
        what = f"{path.name} is no JSON object of class number to name ({error})"
        raise unusable(path.parent, what, "Fetch it again, or remove it: it is not needed") from error
