"""Keep Lightning's advertisements and its warnings about what is meant here off the screen."""

import logging
import warnings


def quiet() -> None:
    """Lightning's own INFO lines and the warnings that do not concern this program's users."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    # The averaged generator and a frozen Stage-I are in evaluation mode on purpose.
    warnings.filterwarnings("ignore", message="Found .* module.s. in eval mode")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    # Workers are a setting (data.workers); on few cores none is fastest.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
