"""Jobs that somebody waits for: which have ended, and how."""
