"""The reference engine, on SimPy: what a plan means, as plainly as it can be written."""
