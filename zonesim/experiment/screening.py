"""
Which combinations of factors are run so that the effect of each can be told: full factorials, Plackett-Burman designs.

A design is a matrix of -1 and +1, a row a run and a column a factor. Its columns are orthogonal and balanced, so that
the main effect of a factor is the mean of the runs with it less the mean of those without, whatever the others do.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Signs = NDArray[np.int8]

LARGEST_ORDER = 128
"""Plackett-Burman designs of more runs than these are not looked for: there are not so many measures."""


def factorial(factors: int) -> Signs:
    """Return every combination of so many factors, shape (2 ** factors, factors), the one without any first."""
    rows = [row[::-1] for row in product((-1, 1), repeat=factors)]
    return np.array(rows, dtype=np.int8).reshape(2**factors, factors)


def plackett_burman(factors: int, *, foldover: bool = False) -> Signs:
    """
    Return a design of as few runs N as there is one for so many factors, shape (N, factors) with N a multiple of 4
    above `factors`; with `foldover` every run is there with all signs turned too, and main effects are then clear of
    interactions of two.

    Source: R. L. Plackett, J. P. Burman, The design of optimum multifactorial experiments, Biometrika 33, 1946. Their
    generators for 12, 20 and 24 runs are the quadratic residues modulo N - 1 (R. E. A. C. Paley, On orthogonal
    matrices, 1933); those for 8, 16 and 32 make the matrices of Sylvester. Raises ValueError for too many factors.
    """
    signs = _normalised(factors)[:, :factors]
    return np.concatenate([signs, -signs]) if foldover else signs


def _normalised(factors: int) -> Signs:
    """Return the columns of the least Hadamard matrix with more than `factors` columns, without the one of ones."""
    from scipy.linalg import hadamard

    for runs in range(4, LARGEST_ORDER + 1, 4):
        if runs <= factors:
            continue
        if runs & (runs - 1) == 0:
            return -np.asarray(hadamard(runs, dtype=np.int8))[:, 1:]
        if _is_prime(runs - 1):
            return _paley(runs - 1)
    raise ValueError(f"no design for {factors} factors")


def _paley(prime: int) -> Signs:
    """
    Return the cyclic design of prime + 1 runs, the prime 3 modulo 4: the generator moved on a place each run, and
    below them the run without any factor.
    """
    residues = {number * number % prime for number in range(1, prime)} | {0}
    first = np.array([1 if number in residues else -1 for number in range(prime)], dtype=np.int8)
    return np.stack([*(np.roll(first, shift) for shift in range(prime)), np.full(prime, -1, dtype=np.int8)])


def _is_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def is_orthogonal(columns: NDArray[np.float64]) -> bool:
    """Return whether columns (runs, columns) of -1 and +1 are orthogonal to each other."""
    found = columns.T @ columns
    return bool(np.array_equal(found, len(columns) * np.eye(columns.shape[1])))
