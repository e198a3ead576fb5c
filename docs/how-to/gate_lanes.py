# ruff: noqa: INP001, T201
# %% [markdown]
# # How many lanes does a growing zone need?
#
# A notebook in cells, for editors that know `# %%`, and a script: `python docs/how-to/gate_lanes.py`.
# 园区增长后需要几条通道？有无措施11各是多少？

# %%
"""How many inbound lanes a growing zone needs so that 95 % of vehicles pass within five minutes."""

import zonesim

zone = zonesim.load("scenarios/typical_zone.yaml").set("clock.warm_up=1 d", "clock.measure=2 d", "clock.cool_down=1 d")
KPI = "TYP.lanes_in.pass.p95"  # s
TARGET = 300.0

# %% [markdown]
# Demand is what nobody chooses: a future. Lanes and measures are what somebody chooses.

# %%
study = zone.sweep(
    {"traffic.*.rate": {"scale": [1.0, 3.0]}, "zones.TYP.lanes_in.units": [1, 2]},
    "11",
    replications=3,
)
table = study.relation([KPI])
print(table.project("future, arm, round(value) as seconds, round(low) as low, round(high) as high, n, tag"))

# %% [markdown]
# The smallest number of lanes whose upper confidence limit is within the target.

# %%
for arm in study.arms:
    for demand in ("1", "3"):
        enough = [
            row
            for row in study.table([KPI])
            if row.arm == arm
            and row.future.startswith(f"traffic.*.rate ×{demand},")
            and row.high <= TARGET  # nan, where nothing is given, is not
        ]
        print(f"{arm}, demand × {demand}:", enough[0].future if enough else "two lanes are not enough")

# %% [markdown]
# Where the time goes: the longest waits of one replication, step by step.

# %%
rows = zone.set("traffic.*.rate*=3", "zones.TYP.lanes_in.units=1").records()
begin, end = rows.window
waits = rows.visit_relation().filter(f"queued_ms >= {begin} and queued_ms < {end} and started_ms > queued_ms")
print(
    waits.aggregate("flow, step, count(*) as waited, avg(started_ms - queued_ms) / 60000 as minutes", "flow, step")
    .order("minutes desc")
    .limit(5)
)
