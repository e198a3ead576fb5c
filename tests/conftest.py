"""Fixtures of all tests."""

from __future__ import annotations

import pytest

from tests.helper import ENGINES


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """Give every engine in turn."""
    return request.param
