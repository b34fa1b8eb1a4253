"""Where the configuration lies: inside the package once installed, beside src/ in a checkout."""

from pathlib import Path

import stackgan

_PACKAGE = Path(stackgan.__file__).parent
CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1] / "conf"


def home(config: str) -> Path:
    """The folder that Hydra searches for this config and its groups.

    A verb whose keys share names with groups of the others (`text` of sample.py) has a folder of its own: Hydra takes `text=` for
    a choice of files wherever it finds a folder text/.
    """
    own = CONF / config
    return own if (own / f"{config}.yaml").is_file() else CONF
