"""A day of two arms side by side, as one page that plays it."""
