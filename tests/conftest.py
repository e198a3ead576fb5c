"""Fixtures of all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.helper import ENGINES

settings.register_profile("zonesim", deadline=None)  # how fast a machine is proves nothing
settings.load_profile("zonesim")


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """Give every engine in turn."""
    return request.param
