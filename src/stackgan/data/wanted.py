"""What a cache should hold, and what of it is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from stackgan.core.shapes import ImageEncoder
from stackgan.data.cache import Cache, skipped
from stackgan.data.records import Region
from stackgan.text.encoder import TextEncoder


@dataclass(frozen=True)
class Wanted:
    """What a cache should hold. located: with the regions of the pictures. skip: leave out what cannot be used.

    image_encoder: whose features of the pictures, None for nobody's.
    """

    sizes: Sequence[int]
    contrast_stretch: bool
    encoder: TextEncoder
    region: Region
    located: bool
    skip: bool
    image_encoder: ImageEncoder | None

    def missing_sizes(self, cache: Cache) -> list[int]:
        """Sizes that have to be decoded."""
        return [size for size in self.sizes if not cache.pictures(size).exists()]

    def missing_text(self, cache: Cache) -> bool:
        """Whether captions have to be encoded."""
        return not cache.text(self.encoder).exists()

    def missing_alike(self, cache: Cache) -> list[int]:
        """Sizes of which it is not known which pictures are the same: earlier versions did not say."""
        return [size for size in self.sizes if not cache.alike(size).exists()]

    def missing_frames(self, cache: Cache) -> bool:
        """Whether pictures have to be measured."""
        return self.located and not cache.frames.exists()

    def missing_features(self, cache: Cache) -> bool:
        """Whether an image encoder has to see the pictures."""
        return self.image_encoder is not None and not cache.features(self.image_encoder).exists()

    def missing(self, cache: Cache) -> bool:
        """Whether anything is."""
        sizes = self.missing_sizes(cache) + self.missing_alike(cache)
        return bool(sizes) or self.missing_text(cache) or self.missing_frames(cache) or self.missing_features(cache)

    def undecodable(self, cache: Cache) -> set[int]:
        """The rows without pixels. A row that lacks only its text is none: another encoder may have one."""
        return {row for size in self.sizes for row in skipped(cache.pictures(size))}

    def skipped(self, cache: Cache) -> dict[int, str]:
        """The rows that one of the arrays lacks, and why."""
        arrays = [cache.text(self.encoder), *map(cache.pictures, self.sizes), *([cache.frames] if self.located else [])]
        return {row: what for array in arrays for row, what in skipped(array).items()}
