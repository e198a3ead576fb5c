"""The words of a fit's report, in English and Chinese."""

from __future__ import annotations

from typing import Final

from zonesim.fitting.distributions import duration_text

WORDS: Final[dict[str, tuple[str, str]]] = {
    "in_brackets": (" ({text})", "（{text}）"),
    "comma": (", ", "、"),
    "titled": ("{name}: {n:,}; ", "{name}：{n:,} 行；"),
    "headed": ("{head}. {text}", "{head}。{text}"),
    "busiest_hour": ("{day} {hour:02d}:00, {rate:.3g}/h", "{day} {hour:02d}:00，{rate:.3g} 辆/小时"),
    # the log
    "rows": ("Rows", "记录"),
    "read": (
        "{file}: {read:,} rows read, {used:,} used, {refused:,} refused ({share})",
        "{file}：读取 {read:,} 行，采用 {used:,} 行，剔除 {refused:,} 行（{share}）",
    ),
    "form": (
        "{encoding}, separated by {separator}, column names in line {line}",
        "编码 {encoding}，分隔符 {separator}，表头在第 {line} 行",
    ),
    "refused": ("Refused", "剔除"),
    "reason": ("reason", "原因"),
    "lines": ("first lines", "前几行"),
    "open": (
        "{n:,} rows without a time out: counted as arrivals, their stay is not known",
        "{n:,} 行无离开时间：计入到达，停留时间未知",
    ),
    "equal": (
        "{n:,} rows equal an earlier one and are kept: nothing in a row tells two vehicles apart (name a column with --id)",
        "{n:,} 行与前面的行完全相同，予以保留：行内没有可区分车辆的列（可用 --id 指定）",
    ),
    "period": ("{first} to {last}; {days} days counted", "{first} 至 {last}；计入 {days} 天"),
    "edge": ("the log begins or ends within the day", "日志在当天中途开始或结束"),
    "gap": ("no rows: taken as a gap of the log", "无记录：视为日志缺失"),
    "holiday": ("public holidays", "法定节假日"),
    "made_up": ("weekend days worked for holidays", "调休工作日"),
    "turned": (
        "{n:,} times with the offset {offset} are turned into local time (UTC+8)",
        "{n:,} 个带时差 {offset} 的时间已换算为当地时间（UTC+8）",
    ),
    "as_written": (
        "{n:,} times with the offset {offset} count as they stand; nothing is turned into local time",
        "{n:,} 个带时差 {offset} 的时间按原样计时，未换算为当地时间",
    ),
    "holiday_share": (
        "on these holidays {share} of the traffic of ordinary days: the scenario has ordinary weeks only",
        "这些节假日的车流为平日的 {share}：方案只含平常周",
    ),
    "left_out": ("left out of the rates: {dates} ({reason})", "不计入到达率：{dates}（{reason}）"),
    "weekdays": (
        "the log does not have every day of the week: the missing ones take the mean of the others",
        "日志未覆盖一周中的每一天：缺失的日子取其余日子的平均值",
    ),
    # arrivals
    "arrivals": ("Arrivals", "到达"),
    "group": ("traffic", "车流"),
    "count": ("rows", "行数"),
    "rate": ("per day", "日均"),
    "low": ("low", "下限"),
    "high": ("high", "上限"),
    "busiest": ("busiest hour", "最繁忙时段"),
    "index": ("dispersion", "离散指数"),
    "by_day": ("of days", "日离散指数"),
    "p": ("p", "p 值"),
    "near": ("within 1 min", "1 分钟内跟车"),
    "near_expected": ("expected", "期望"),
    "verdict": ("verdict", "判断"),
    "poisson": ("as Poisson", "符合泊松过程"),
    "more": ("more variable than Poisson", "波动大于泊松过程"),
    "less": ("less variable than Poisson", "波动小于泊松过程"),
    "unknown": ("too few rows to tell", "行数太少，无法判断"),
    "dispersion_note": (
        "Dispersion: variance of the counts per hour around the fitted profile over their mean, 1 for a Poisson process; p: of its chi-square test.",
        "离散指数：各小时到达数围绕拟合曲线的方差与均值之比，泊松过程为 1；p 值来自卡方检验。",
    ),
    "advice_batch": (
        "{group}: vehicles come in groups, as if {size} at a time. Replay the log (replay.yaml), or give the traffic `batch: {size}` and {share} of the rate.",
        "{group}：车辆成批到达，约每批 {size} 辆。可重放日志（replay.yaml），或为车流设置 `batch: {size}` 并把到达率乘以 {share}。",
    ),
    "advice_days": (
        "{group}: whole days differ more than hours within a day (dispersion of days {by_day}). Replay the log (replay.yaml), or vary the rate as a future.",
        "{group}：日与日之间的差异大于日内波动（日离散指数 {by_day}）。可重放日志（replay.yaml），或把到达率作为情景变化。",
    ),
    "advice_less": (
        "{group}: arrivals are spaced more evenly than by chance, as with appointments. A Poisson stream will overstate queues; replay the log (replay.yaml).",
        "{group}：到达比随机更均匀（如预约）。泊松车流会高估排队；可重放日志（replay.yaml）。",
    ),
    "borrowed": (
        "{group}: too few rows for a shape of its own; it has that of all vehicles together.",
        "{group}：行数太少，采用全部车辆的到达曲线。",
    ),
    "split": ("{group}: {days} have shapes of their own.", "{group}：{days} 各有自己的到达曲线。"),
    "workday": ("working days", "工作日"),
    "weekend": ("weekends", "周末"),
    "sat": ("Saturdays", "周六"),
    "sun": ("Sundays", "周日"),
    "profile": ("Weights by hour of day (mean 1)", "各小时权重（均值为 1）"),
    # times
    "lane": ("Time in the lane", "通道用时"),
    "pass": ("Gate passage, queue and lane together", "过卡用时（含排队）"),
    "stay": ("Stay, time in to time out", "停留时间（进入至离开）"),
    "law": ("law", "分布"),
    "written": ("as the format writes it", "写法"),
    "delta": ("BIC −best", "BIC 差"),
    "gap_share": ("largest gap", "最大差距"),
    "ad": ("AD", "AD 距离"),
    "mean": (
        "mean {mean}, sd {sd}, median {median}, P95 {late}",
        "均值 {mean}，标准差 {sd}，中位数 {median}，P95 {late}",
    ),
    "chosen": ("written to the scenario", "写入方案"),
    "none_close": (
        "no law comes within {close} of the data; the empirical law is written",
        "没有分布与数据的差距小于 {close}；写入经验分布",
    ),
    "empirical": (
        "empirical, {points} points: always possible, it repeats the data and has no tail beyond them",
        "经验分布 {points} 点：总是可用，重复数据，没有更长的尾部",
    ),
    "p_note": (
        "p of the Kolmogorov-Smirnov test: too large, because the laws were fitted to the same rows; with many rows every law fails it. The largest gap between the curves says more.",
        "p 值来自 KS 检验：因分布由同一批数据拟合而偏大；行数很多时任何分布都会被拒绝。曲线间的最大差距更有意义。",
    ),
    "few": ("too few rows with this time for a law ({n})", "行数太少（{n}），不拟合分布"),
    "resolution": (
        "times are whole {unit}: what happens below cannot be seen; {zeros:,} zero times are taken as half of that",
        "时间以整{unit}记录：更细的形状不可见；{zeros:,} 个零时长按其一半计",
    ),
    "sample": ("laws are fitted to {n:,} rows taken evenly", "分布按均匀抽取的 {n:,} 行拟合"),
    "pooled": ("too few rows of this kind: lane times of all kinds together", "该类行数太少：采用全部车型的通道用时"),
    "minute": ("minutes", "分钟"),
    "hour": ("hours", "小时"),
    "second": ("seconds", "秒"),
    "lane_column": ("From column '{column}'.", "来自列“{column}”。"),
    "lane_empty": (
        "From the passages of {n:,} vehicles that found fewer than {lanes} others of their direction at the gate and so did not wait.",
        "来自 {n:,} 辆到达时本方向卡口内少于 {lanes} 辆车、因而没有排队的车辆。",
    ),
    "pass_note": (
        "Time in to time out at a gate contains waiting: it is shown to compare with gate pass times of runs, and is not a lane time.",
        "卡口进出时间差包含排队：可与仿真的过卡时间比较，不能当作通道用时。",
    ),
    "stay_note": (
        "A stay may contain waiting at the gate on the way out; in the scenario it is elapsed time between the two passages.",
        "停留时间可能包含出区排队；在方案中为两次过卡之间的时长。",
    ),
    "no_lane": (
        "The log does not tell the time in the lane: the scenario has that of the library's gate.",
        "日志没有通道用时：方案采用库中的卡口用时。",
    ),
    # what cannot be, and the model beside the log
    "doubt_passage": (
        "{group}: a mean passage of {found} is impossible. {rate:.4g} vehicles a day that take {lane} in the lane load {lanes} "
        "lane(s) to {load} in the busiest hour; lane and queue together explain {expected}. If a row is a stay in the zone, "
        "say --span stay.",
        "{group}：平均过卡用时 {found} 不可能成立。日均 {rate:.4g} 辆、每辆占用通道 {lane}，最繁忙时段 {lanes} 条通道的负荷为 {load}；"
        "通道与排队合计约 {expected}。若每行为区内停留，请用 --span stay。",
    ),
    "doubt_lane": (
        "{group}: {found} in the lane, of vehicles that met nobody there, is impossible; the library's gate takes {expected}. "
        "If a row is a stay in the zone, say --span stay.",
        "{group}：未遇排队的车辆通道用时为 {found}，不可能成立；库中的卡口为 {expected}。若每行为区内停留，请用 --span stay。",
    ),
    "doubt_stay": (
        "{group}: 95 of 100 stays are shorter than {found}. If a row is a passage of the gate, say --span pass.",
        "{group}：95 % 的停留短于 {found}。若每行为一次过卡，请用 --span pass。",
    ),
    "beside": (
        "Model beside log, by hour of the day ({file}, {runs} replications of {weeks} weeks; *: by more than chance)",
        "模型与日志对照，按时段（{file}，重复 {runs} 次，每次 {weeks} 周；*：超出偶然）",
    ),
    "hour_of_day": ("hour", "时段"),
    "logged_rate": ("log, per hour", "日志，辆/小时"),
    "model_rate": ("model", "模型"),
    "logged_time": ("log, min", "日志，分钟"),
    "model_time": ("model", "模型"),
    "all_vehicles": ("all vehicles", "全部车辆"),
    "way_in": ("in", "进"),
    "way_out": ("out", "出"),
    "beside_rates": (
        "{way}: {modelled:.4g} vehicles a day in the model, {logged:.4g} in the log; {n} of 24 hours differ by more than chance.",
        "{way}：模型日均 {modelled:.4g} 辆，日志 {logged:.4g} 辆；24 个时段中有 {n} 个的差异超出偶然。",
    ),
    "beside_alike": (
        "{way}: mean time in to time out {modelled} in the model, {logged} in the log.",
        "{way}：平均进出时间差，模型 {modelled}，日志 {logged}。",
    ),
    "beside_shorter": (
        "{way}: mean time in to time out {modelled} in the model, {logged} in the log: in the log vehicles wait for something "
        "that the model does not have (fewer lanes or officers at times, groups of vehicles, breaks), or the times are others.",
        "{way}：平均进出时间差，模型 {modelled}，日志 {logged}：日志中的车辆还在等待模型没有的因素（某些时段通道或人员较少、成批到达、停歇），"
        "或时间含义不同。",
    ),
    "beside_longer": (
        "{way}: mean time in to time out {modelled} in the model, {logged} in the log: the model has fewer lanes than the gate "
        "(--lanes), or longer lane times.",
        "{way}：平均进出时间差，模型 {modelled}，日志 {logged}：模型的通道少于实际（--lanes），或通道用时偏长。",
    ),
    "compiling": (
        "compiling the engine: half a minute, once after installing",
        "正在编译引擎：约半分钟，安装后仅一次",
    ),
    "not_run": (
        "The scenario could not be run beside the log: {why}",
        "方案未能与日志对照运行：{why}",
    ),
    # files
    "files": ("Written: {files}", "写出文件：{files}"),
    "private": (
        "trace.csv has one line a vehicle: time, direction, kind and class only. fit.json and fit.csv have no counts below {n} and no single rows.",
        "trace.csv 每车一行，仅含时间、方向、车型和类别。fit.json 与 fit.csv 不含小于 {n} 的计数和单行数据。",
    ),
    "cut": (
        "The log is longer than {n:,} rows: trace.csv has its last days.",
        "日志超过 {n:,} 行：trace.csv 只含最后几天。",
    ),
    "measures": (
        "To compare measures: {command}",
        "比较措施：{command}",
    ),
    "constant": ("constant", "常数"),
    "uniform": ("uniform", "均匀"),
    "triangular": ("triangular", "三角"),
    "pert": ("PERT", "PERT"),
    "exponential": ("exponential", "指数"),
    "erlang": ("Erlang", "爱尔朗"),
    "gamma": ("gamma", "伽马"),
    "weibull": ("Weibull", "韦布尔"),
    "lognormal": ("lognormal", "对数正态"),
    "normal": ("normal", "正态"),
    "mixture": ("two lognormals", "双对数正态"),
}

DAYS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}

UNITS_ZH: Final = {"ms": "毫秒", "s": "秒", "min": "分钟", "h": "小时", "d": "天"}

SEPARATORS: Final[dict[str, tuple[str, str]]] = {
    ",": ("commas", "逗号"),
    ";": ("semicolons", "分号"),
    "\t": ("tabs", "制表符"),
    "|": ("bars", "竖线"),
}


def said(key: str, lang: str, **values: object) -> str:
    """Return the words for `key` in a language, with values filled in."""
    return WORDS[key][lang == "zh"].format(**values)


def told_duration(ms: float, lang: str) -> str:
    """Return a duration for people, its unit in their language."""
    number, _, unit = duration_text(ms).partition(" ")
    return f"{number} {UNITS_ZH[unit] if lang == 'zh' else unit}"
