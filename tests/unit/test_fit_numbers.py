"""What was put into a log comes out of its fit: rates, shapes, laws and classes, within the error that the fit states."""

from __future__ import annotations

import numpy as np
import pytest

from tests.logs import DAY_SHAPE, STREAMS, WEEK_SHAPE, gate_log, soil
from zonesim.engine.sampling import prepare, sample
from zonesim.fitting import Columns, Request, Rules, fit_log
from zonesim.fitting.arrivals import fit_arrivals, period_of
from zonesim.fitting.distributions import CLOSE_GAP, empirical_points, fit_durations
from zonesim.fitting.instants import InstantReader
from zonesim.plan.distribution_rows import Distributions
from zonesim.scenario.laws import Law
from zonesim.units import DAY, HOUR, MINUTE, SECOND

ALL = Columns("进卡时间", "出卡时间", "方向", "车型", "信用等级", "通道用时")
START = InstantReader().read("2018-09-03 00:00")


def poisson(draws, a_day, days, batch=1, level=None):
    """Return arrival times of a stream with the shapes of the logs; `level`: a factor for each day."""
    means = a_day * WEEK_SHAPE[np.arange(days) % 7][:, None] * DAY_SHAPE / 24 / batch
    counts = draws.poisson(means * (1 if level is None else level[:, None])).ravel()
    hours = np.repeat(np.arange(days * 24), counts)
    times = START + ((hours + draws.uniform(size=len(hours))) * HOUR).astype(np.int64)
    return np.sort(np.repeat(times, batch))


def fitted(times):
    """Return the arrivals of one stream."""
    return fit_arrivals(times, period_of(times), times)


def test_a_dirty_log_gives_back_what_was_put_in(tmp_path):
    """
    Four weeks with 3 % dirty rows: every rate lies within its interval, the weights of the hours and the shares of the classes
    within four standard errors, the lane times are lognormal with mean and cv within 3 %.
    """
    log = soil(gate_log(days=28, seed=3), 0.03)
    (tmp_path / "log.csv").write_text(log.text(), encoding="gb18030")
    fit = fit_log(Request(tmp_path / "log.csv", ALL))
    groups = {(group.direction, group.kind): group for group in fit.groups}
    lost = 1 - len(fit.log) / (fit.log.read - log.dirty["blank"] - log.dirty["header"] - log.dirty["total"])

    assert [group.name for group in fit.groups] == ["in_truck", "in_car", "out_truck", "out_car"]
    assert [group.vehicle for group in fit.groups] == ["freight", "other", "freight", "other"]
    for stream in STREAMS:
        group = groups["in" if stream.direction == "进" else "out", stream.kind]
        found = group.arrivals
        assert found.low / (1 - lost) < stream.rate < found.high / (1 - lost)
        assert found.dispersion.verdict == "poisson"
        assert [part.name for part in found.parts] == [""]
        error = np.sqrt(DAY_SHAPE / found.count * 24)
        assert (abs(np.array(found.parts[0].hours) - DAY_SHAPE) < 4 * error + 0.02).all()
        days = np.array(found.parts[0].days) / np.mean(found.parts[0].days) * WEEK_SHAPE.mean()
        assert (abs(days - WEEK_SHAPE) < 4 * np.sqrt(7 / found.count)).all()
        for name, share in stream.classes:
            assert abs(group.classes[name] - share) < 4 * np.sqrt(share * (1 - share) / found.count)
        best = group.lane.best
        assert best.name == "lognormal"
        mean = 100 * np.exp(0.4**2 / 2)
        assert group.lane.mean / SECOND == pytest.approx(mean, rel=4 * 0.42 / found.count**0.5)
        assert best.written["lognormal"]["cv"] == pytest.approx(np.sqrt(np.expm1(0.16)), rel=4 / found.count**0.5)
        assert group.lane_pooled is False
    assert fit.lane_source == "column"


def test_the_interval_of_a_rate_holds_it_as_often_as_it_says():
    """
    95 % intervals hold the true rate in 93 to 98 of 100 logs, also when whole days vary by a quarter.
    """
    draws = np.random.default_rng(5)
    rate = 100 * WEEK_SHAPE.mean()
    for spread in (0.0, 0.25):
        held = 0
        for _ in range(300):
            level = np.maximum(draws.normal(1, spread, 28), 0)
            found = fitted(poisson(draws, 100, 28, level=level))
            held += found.low < rate < found.high
        assert 0.925 <= held / 300 <= 0.985


def test_the_dispersion_test_has_its_size_and_power():
    """
    Of Poisson streams 1 % at most are called more variable; of streams in batches of three, nearly all, with an index near 3.
    """
    draws = np.random.default_rng(6)
    plain = [fitted(poisson(draws, 80, 21)).dispersion for _ in range(200)]
    batches = [fitted(poisson(draws, 80, 21, batch=3)).dispersion for _ in range(40)]

    assert np.mean([test.p < 0.05 for test in plain]) == pytest.approx(0.05, abs=0.035)
    assert sum(test.verdict != "poisson" for test in plain) <= 2
    assert np.mean([test.index for test in plain]) == pytest.approx(1, abs=0.02)
    assert all(test.verdict == "more" for test in batches)
    assert np.mean([test.index for test in batches]) == pytest.approx(3, rel=0.1)
    assert np.mean([test.near - test.near_expected for test in batches]) > 0.5


def test_arrivals_by_appointment_are_less_variable():
    """
    Evenly spaced vehicles are told from a Poisson stream in the other direction.
    """
    times = START + np.arange(0, 21 * DAY, 6 * MINUTE, dtype=np.int64)
    found = fitted(times)

    assert found.dispersion.verdict == "less"
    assert found.rate == pytest.approx(240)


def test_days_that_vary_are_told_from_batches():
    """
    When whole days are busy or quiet, the dispersion of days is far above that of hours.
    """
    draws = np.random.default_rng(7)
    test = fitted(poisson(draws, 200, 28, level=draws.choice([0.6, 1.4], 28))).dispersion

    assert test.verdict == "more"
    assert test.by_day > 3 * test.index


def test_weekends_with_hours_of_their_own_get_a_shape_of_their_own():
    """
    A zone that works late on working days and mornings only at weekends has two shapes, whose rates add up.
    """
    draws = np.random.default_rng(8)
    parts = []
    for day in range(28):
        hours = DAY_SHAPE if day % 7 < 5 else np.where((np.arange(24) >= 8) & (np.arange(24) < 12), 2.0, 0.05)
        counts = draws.poisson(100 * hours / 24)
        parts += [
            START + day * DAY + int((hour + draws.uniform()) * HOUR) for hour in range(24) for _ in range(counts[hour])
        ]
    found = fitted(np.sort(np.array(parts, dtype=np.int64)))

    assert [part.name for part in found.parts] == ["workday", "weekend"]
    assert sum(part.rate for part in found.parts) == pytest.approx(found.rate)
    assert found.parts[0].days[5:] == [0, 0]
    assert found.parts[1].hours[9] > 4
    assert found.dispersion.verdict == "poisson"


def test_days_that_the_log_does_not_cover_do_not_count():
    """
    A log that begins at noon and misses two days leaves three days out, and the rate stays right.
    """
    draws = np.random.default_rng(9)
    times = poisson(draws, 200, 28)
    day = (times - START) // DAY
    times = times[(times > START + 12 * HOUR) & (day != 9) & (day != 10)]
    period = period_of(times)
    found = fit_arrivals(times, period, times)

    assert period.left_out == {"edge": ["2018-09-03"], "gap": ["2018-09-12", "2018-09-13"]}
    assert period.days == 25
    assert found.low < 200 * WEEK_SHAPE.mean() < found.high


def test_a_closed_day_of_the_week_is_no_gap():
    """
    Sundays without traffic are Sundays, not missing rows.
    """
    draws = np.random.default_rng(10)
    times = poisson(draws, 100, 28)
    times = times[(times - START) // DAY % 7 != 6]
    found = fitted(times)

    assert period_of(times).left_out == {}
    assert found.parts[-1].days[6] == 0


def test_holidays_are_no_ordinary_days():
    """
    Days named as holidays take no part in the rates and are said.
    """
    times = poisson(np.random.default_rng(11), 100, 28)
    period = period_of(times, frozenset({"2018-09-24"}))

    assert period.left_out == {"holiday": ["2018-09-24"]}
    assert period.days == 27


def test_a_small_group_has_the_shape_of_all():
    """
    Thirty vehicles have a rate of their own and the shape of everybody.
    """
    draws = np.random.default_rng(12)
    everybody = poisson(draws, 200, 14)
    few = everybody[::90]
    found = fit_arrivals(few, period_of(everybody), everybody)

    assert found.borrowed
    assert found.rate == pytest.approx(len(few) / 14, rel=0.01)
    assert found.parts[0].hours == fit_arrivals(everybody, period_of(everybody), everybody).parts[0].hours


def test_small_counts_are_not_published():
    """
    Hours with fewer than five vehicles share one weight, and cells of the week with fewer are left out.
    """
    found = fitted(poisson(np.random.default_rng(13), 60, 7))
    night = [weight for weight in found.parts[0].hours if weight < 0.2]

    assert len(set(night)) == 1
    assert np.isnan(found.week).sum() > 0
    assert (found.week[~np.isnan(found.week)] >= 5).all()


# --- laws

DRAWN = {
    "exponential": (lambda draws: draws.exponential(100, 3000), {"exponential": 100}),
    "gamma": (lambda draws: draws.gamma(2.5, 40, 3000), {"gamma": 100}),
    "weibull": (lambda draws: draws.weibull(2.5, 3000) * 120, {"weibull": 106.5}),
    "lognormal": (lambda draws: draws.lognormal(np.log(80), 0.7, 3000), {"lognormal": 102.2}),
    "normal": (lambda draws: draws.normal(300, 40, 3000), {"normal": 300}),
    "uniform": (lambda draws: draws.uniform(60, 180, 3000), {"uniform": 120}),
    "triangular": (lambda draws: draws.triangular(60, 80, 240, 3000), {"triangular": 126.7}),
    "pert": (lambda draws: 50 + 250 * draws.beta(1 + 4 * 0.2, 1 + 4 * 0.8, 3000), {"pert": 125}),
    "mixture": (
        lambda draws: np.where(
            draws.uniform(size=4000) < 0.8,
            draws.lognormal(np.log(60), 0.3, 4000),
            draws.lognormal(np.log(900), 0.4, 4000),
        ),
        {"mixture": 245.4},
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_law_that_was_drawn_is_found(name):
    """
    The family that made the times comes first by BIC, its curve is within 3 % of the data, and its mean is right.
    """
    draw, expected = DRAWN[name]
    values = np.maximum((draw(np.random.default_rng(30)) * SECOND).astype(np.int64), 1)
    found = fit_durations(values)

    assert found.candidates[0].name == name
    assert found.best is found.candidates[0]
    assert found.best.ks < 0.03
    index, numbers = compiled(found.best.written)
    grid = (np.arange(4000) + 0.5) / 4000
    mean = np.mean([sample(index, numbers, len(index) - 1, float(u), 0) for u in grid])
    assert mean / SECOND == pytest.approx(expected[name], rel=4 * found.sd / found.mean / found.count**0.5)


def compiled(written):
    """Return the prepared tables of a law as the format writes it."""
    laws = Distributions()
    laws.written(Law.model_validate(written), lambda value: value)
    rows = [(kind, numbers) for kind, numbers in laws.table.rows]
    index, flat = [], []
    for kind, numbers in rows:
        index.append((kind, len(flat), len(numbers)))
        flat += numbers
    return prepare(np.array(index, dtype=np.int64), np.array(flat, dtype=np.float64))


@pytest.mark.parametrize("name", [*DRAWN, "erlang"])
def test_what_is_written_means_what_was_fitted(name):
    """
    The quantiles that the engine draws from the written law are those of the fitted distribution function.
    """
    draw = DRAWN["gamma" if name == "erlang" else name][0]
    values = np.maximum((draw(np.random.default_rng(21)) * SECOND).astype(np.int64), 1)
    law = next(each for each in fit_durations(values).candidates if each.name == name)
    index, numbers = compiled(law.written)
    for u in (0.02, 0.2, 0.5, 0.8, 0.98):
        x = sample(index, numbers, len(index) - 1, u, 0)
        assert float(law.cdf(np.array([x]))[0]) == pytest.approx(u, abs=2e-3)


@pytest.mark.parametrize(("size", "spread"), [(10**9, 1e-4), (10**9, 1e-6), (10**7, 4.0)])
def test_what_is_written_is_a_law_of_the_format(size, spread):
    """
    Of times that hardly differ, or by many magnitudes, no candidate goes beyond what scenarios may have.
    """
    draws = np.random.default_rng(5)
    times = np.maximum(size * np.exp(spread * draws.standard_normal(400)), 1).astype(np.int64)
    found = fit_durations(times)

    assert found.candidates
    for each in found.candidates:
        Distributions().written(Law.model_validate(each.written), lambda value: value)


def test_times_that_are_all_equal_are_constant():
    """
    A barrier that always takes 8 seconds has one law.
    """
    found = fit_durations(np.full(100, 8 * SECOND))

    assert found.chosen() == {"constant": "8 s"}


def test_times_that_no_law_describes_are_written_as_they_are():
    """
    Three separate clusters: the empirical law is written, with at most 200 points and no single longest row.
    """
    draws = np.random.default_rng(22)
    centres = draws.choice([60, 600, 6000], 6000, p=[0.4, 0.3, 0.3])
    values = (centres * draws.uniform(0.98, 1.02, 6000) * SECOND).astype(np.int64)
    found = fit_durations(values)

    assert found.best is None
    assert found.candidates[0].ks > CLOSE_GAP
    points = found.chosen()["empirical"]
    assert len(points) == 200
    assert found.empirical[-1] < values.max()
    assert np.mean(found.empirical) == pytest.approx(values.mean(), rel=0.02)


def test_empirical_points_have_rows_behind_them():
    """
    Five rows at least lie between two points; fewer than twenty rows have none.
    """
    assert len(empirical_points(np.arange(1.0, 101.0))) == 20
    assert empirical_points(np.arange(1.0, 101.0))[-1] == 98
    assert empirical_points(np.arange(19.0)) == []


def test_lane_times_from_vehicles_that_did_not_wait(tmp_path):
    """
    Where rows are passages with the queue in them, those who found the gate empty give the lane time without bias, although the
    mean of all is far above it.
    """
    draws = np.random.default_rng(23)
    times = poisson(draws, 400, 28)
    lane = np.maximum(draws.lognormal(np.log(90), 0.3, len(times)) * SECOND, 1).astype(np.int64)
    free, ends = 0, []
    for time, span in zip(times.tolist(), lane.tolist(), strict=False):
        free = max(free, time) + span
        ends.append(free)
    rows = [f"{time},{end},in" for time, end in zip(times.tolist(), ends, strict=False)]
    shifted = [f"{int(row.split(',')[0]) - 8 * HOUR},{int(row.split(',')[1]) - 8 * HOUR},in" for row in rows]
    (tmp_path / "log.csv").write_text("a,b,way\n" + "\n".join(shifted) + "\n", encoding="utf-8")
    fit = fit_log(Request(tmp_path / "log.csv", Columns("a", "b", "way"), Rules()))
    group = fit.groups[0]

    assert fit.span == "pass"
    assert fit.lane_source == "empty gate"
    assert group.span.mean > 1.3 * group.lane.mean
    assert group.lane.mean == pytest.approx(lane.mean(), rel=4 * 0.3 / group.lane.count**0.5)
    assert group.lane.best.name == "lognormal"
