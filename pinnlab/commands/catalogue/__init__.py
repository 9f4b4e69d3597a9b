"""The equations that ship, as their source files tell them: read by `ast`, so that torch is not imported."""
