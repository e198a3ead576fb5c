"""
The compiled engine's inner loop: the meaning of the reference engine, on arrays of records.

`layout` declares the records and how they are bundled, `loop` is the run; each other module is one part of it. All
state lies in the arrays, so a call can return at any instruction that has not acted yet ("not now": a full block, no
free slot) and the next call goes on from there. Nothing is allocated; growing is the caller's job.

Conventions. `s` is the record of the run's own state, `at` makes an index. Tokens and batches are named by their slot,
0 is nobody. Within one instant: capacity changes, breakdowns and repairs, then tokens made ready, first come first
served, then timed events by (time, rank, number).

Rows and events are added without looking, for a round of the loop looks whether a few more fit; each interrupted token
takes one of both from what may be used, for it adds them when it goes on.

Integrals over the measured window are kept as sums: whatever begins at t adds the window's rest after t, whatever ends
takes it away again. `s.left` is that rest.
"""
