"""Floor 7: many runs from one command. Makes jobs of rows or trials, hands them to launchers, and tells what became of them."""
