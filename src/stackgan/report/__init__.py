"""Floor 5: runs side by side. Reads finished runs, sets them beside published figures, and writes tables, charts and one page."""
