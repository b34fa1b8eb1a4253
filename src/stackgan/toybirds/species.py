"""Forty species: what each one always looks like. Whatever a species does not fix is drawn afresh for every picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Species:
    """One species.

    number: 1..40, as in classes.txt; name: words in title case; fixed: attribute -> value (4 to 6 of them).
    """

    number: int
    name: str
    fixed: Mapping[str, str] = field(hash=False)

    @property
    def folder(self) -> str:
        """CUB's way of naming a class: 007.Copper_Wren."""
        return f"{self.number:03d}.{self.stem}"

    @property
    def stem(self) -> str:
        """The name as it stands in file names: Copper_Wren."""
        return self.name.replace(" ", "_")


# name: body wing crown beak beak_shape tail size wing_bars eye_ring, "-" where the species leaves it free. The last ten
# are the test species: they know no body or wing colour that the train species lack, but no train species shares
# their pair of body and wing.
_TABLE = """
Rose Finch:            pink   teal   green  -      -      -      small  - -
Emerald Wagtail:       green  purple -      orange short  -      small  - -
Cobalt Swallow:        blue   purple -      -      short  forked small  2 -
Scarlet Sunbird:       red    blue   yellow -      -      -      -      - no
Lagoon Thrasher:       teal   red    -      -      long   long   -      - -
Verdigris Kingfisher:  teal   green  -      yellow long   short  -      - -
Lemon Shrike:          yellow blue   orange -      -      short  -      - -
Indigo Parakeet:       blue   orange -      -      hooked -      -      3 -
Moss Kite:             green  red    -      -      -      forked large  - -
Amber Magpie:          orange teal   red    black  -      long   -      - -
Violet Wren:           purple yellow -      -      -      short  small  - yes
Azure Flycatcher:      blue   red    -      -      short  -      small  - -
Flamingo Martin:       pink   red    pink   -      short  forked -      0 -
Copper Spinetail:      orange purple -      blue   long   short  small  - -
Plum Oriole:           purple orange -      -      long   long   -      - -
Golden Barbet:         yellow green  purple -      long   short  -      - -
Coral Parrotlet:       pink   purple -      -      hooked -      medium - -
Mustard Macaw:         yellow pink   -      red    hooked -      -      1 no
Saffron Falcon:        orange blue   blue   -      hooked -      -      - -
Marigold Dove:         orange yellow -      -      short  long   -      - -
Heather Bunting:       purple pink   -      -      short  short  small  - -
Reef Tit:              teal   blue   teal   orange short  long   -      - -
Fern Swift:            green  yellow -      -      -      forked -      2 -
Amethyst Creeper:      purple green  -      -      long   short  small  - -
Peony Hoopoe:          pink   yellow green  -      -      long   -      - yes
Harbour Curlew:        blue   teal   -      yellow long   -      -      - -
Ember Grosbeak:        red    orange -      -      hooked short  -      - -
Ruby Hawk:             red    pink   yellow -      -      -      -      3 -
Cherry Roller:         red    green  -      -      hooked forked large  - -
Primrose Jay:          yellow orange -      black  short  long   -      - -
Apricot Chat:          orange red    orange -      short  -      -      - -
Thistle Redstart:      purple blue   -      -      -      long   small  - no
Tidal Drongo:          teal   orange -      -      short  forked -      0 -
Clover Woodstar:       green  pink   red    blue   -      short  -      - -
Jade Sylph:            teal   pink   -      -      long   long   -      - -
Sapphire Jacamar:      blue   yellow -      -      -      short  medium - -
Honey Lory:            yellow purple pink   -      hooked -      -      - -
Poppy Cuckoo:          red    teal   -      red    -      -      -      1 -
Magnolia Turaco:       pink   green  -      -      -      forked -      - yes
Willow Trogon:         green  teal   purple -      -      long   -      - -
"""

_COLUMNS = ("body", "wing", "crown", "beak", "beak_shape", "tail", "size", "wing_bars", "eye_ring")


def _read(number: int, line: str) -> Species:
    name, _, values = line.partition(":")
    fixed = {column: value for column, value in zip(_COLUMNS, values.split(), strict=True) if value != "-"}
    return Species(number, name.strip(), MappingProxyType(fixed))


SPECIES: tuple[Species, ...] = tuple(_read(number, line) for number, line in enumerate(_TABLE.strip().splitlines(), start=1))
TRAIN_SPECIES: tuple[Species, ...] = SPECIES[:30]
TEST_SPECIES: tuple[Species, ...] = SPECIES[30:]
