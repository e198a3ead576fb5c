"""Tests of zonesim, in families."""
