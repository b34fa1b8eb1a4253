"""Where the configuration lies: inside the package once installed, beside src/ in a checkout."""

from pathlib import Path

import stackgan

_PACKAGE = Path(stackgan.__file__).parent
CONF = _PACKAGE / "conf" if (_PACKAGE / "conf").is_dir() else _PACKAGE.parents[1] / "conf"
