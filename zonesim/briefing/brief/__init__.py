"""Briefings for people who decide: one model of what there is to say, and a writer for each kind of document."""
