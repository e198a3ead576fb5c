"""Answers, speed and memory of zonesim beside other programs: `python -m bench`."""
