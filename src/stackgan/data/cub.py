"""CUB-200-2011 (Wah et al. 2011) with the captions of Reed et al. (2016), as StackGAN prepares and splits it.

Layout: see cub_layout.py. The pictures' own train_test_split.txt is not used: zero-shot learning keeps whole classes out.
"""

from pathlib import Path

from stackgan.data.cub_layout import read_files, read_records
from stackgan.data.module import CaptionedPictures
from stackgan.data.records import Source

WAY_OUT = (
    "Expected: CUB_200_2011/ of https://www.vision.caltech.edu/datasets/cub_200_2011/ and beside it text/<class>/<picture>.txt, "
    "the captions of https://github.com/reedscot/icml2016"
)

TEST_CLASSES = frozenset({
    1, 4, 6, 8, 9, 14, 23, 29, 31, 33, 34, 35, 36, 37, 38, 43, 49, 51, 53, 66, 72, 79, 83, 84, 86, 91, 95, 96, 98, 101, 102, 103,
    112, 114, 119, 121, 130, 135, 138, 147, 156, 163, 165, 166, 180, 183, 185, 186, 187, 197,
})  # fmt: skip
"""The 50 classes of test/filenames.pickle as published with StackGAN; the other 150 are those of train/."""


class CubData(CaptionedPictures):
    """CUB-200-2011: StackGAN's square around the bird, 150 train and 50 test classes."""

    def read(self) -> Source:
        """See read_cub."""
        return read_cub(Path(self.root))


def read_cub(root: Path) -> Source:
    """All pictures, in the order of images.txt. Raises UserError."""
    files = read_files(root, WAY_OUT)
    there = set(files.class_ids.values())
    test = there & TEST_CLASSES
    note = f"StackGAN's split by class: {len(there) - len(test)} of 150 train and {len(test)} of 50 test classes are there"
    return read_records(root, files, lambda class_id, _: "test" if class_id in TEST_CLASSES else "train", note, WAY_OUT)
