// Means and intervals, summed as numpy sums, so that the last digit agrees.

function sum(values, from = 0, count = values.length) {
  if (count < 8) {
    let total = count ? values[from] : 0;
    for (let at = 1; at < count; at++) total += values[from + at];
    return total;
  }
  if (count <= 128) {
    const parts = values.slice(from, from + 8);
    let at = 8;
    for (; at + 8 <= count; at += 8) for (let each = 0; each < 8; each++) parts[each] += values[from + at + each];
    let total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    for (; at < count; at++) total += values[from + at];
    return total;
  }
  let half = Math.floor(count / 2);
  half -= half % 8;
  return sum(values, from, half) + sum(values, from + half, count - half);
}

function interval(values) {
  const n = values.length;
  if (!n) return { value: NaN, low: NaN, high: NaN, n };
  const mean = sum(values) / n;
  if (n === 1) return { value: mean, low: NaN, high: NaN, n };
  const squares = values.map((value) => (value - mean) * (value - mean));
  const half = about.student[n - 2] * Math.sqrt(sum(squares) / (n - 1)) / Math.sqrt(n);
  return { value: mean, low: mean - half, high: mean + half, n };
}

// What a KPI says of both arms and of their difference; `withheld`: the largest share that is missing.
function judged(place, found) {
  const columns = found.map((runs) => runs.map((run) => run.values[place]));
  const withheld = Math.max(0, ...found.flatMap((runs) => runs.map((run) => run.withheld[place])));
  if (withheld) return { withheld, arms: [interval([]), interval([])], difference: interval([]) };
  const there = columns.map((own) => own.filter((value) => !Number.isNaN(value)));
  const both = columns[0].map((value, at) => columns[1][at] - value).filter((value) => !Number.isNaN(value));
  return { withheld: 0, arms: there.map(interval), difference: interval(both) };
}
