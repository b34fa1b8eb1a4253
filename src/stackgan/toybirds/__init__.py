"""toybirds, the embedded data set: drawn by our own code, told by our own grammar, and read back by a program."""

from stackgan.toybirds.decode import (
    COLOUR_ATTRIBUTES,
    DECODABLE,
    READER_VERSION,
    SMALLEST,
    Found,
    agreement,
    compare,
    decode,
    read,
    readable,
)
from stackgan.toybirds.grammar import captions, parse
from stackgan.toybirds.layout import VERSION, fingerprint, write
from stackgan.toybirds.render import PARTS, Rendering, render
from stackgan.toybirds.scene import ATTRIBUTES, Scene, draw_scene, split_of
from stackgan.toybirds.species import SPECIES, TEST_SPECIES, TRAIN_SPECIES, Species

__all__ = [
    "ATTRIBUTES",
    "COLOUR_ATTRIBUTES",
    "DECODABLE",
    "PARTS",
    "READER_VERSION",
    "SMALLEST",
    "SPECIES",
    "TEST_SPECIES",
    "TRAIN_SPECIES",
    "VERSION",
    "Found",
    "Rendering",
    "Scene",
    "Species",
    "agreement",
    "captions",
    "compare",
    "decode",
    "draw_scene",
    "fingerprint",
    "parse",
    "read",
    "readable",
    "render",
    "split_of",
    "write",
]
