// Replaced by this target's first code.
