"""
The rule by which requests for units are granted.

A request is granted when every need fits the free units now and nobody ahead of it, at any of its resources, is
short of that resource. Nothing is reserved while waiting. A waiter that is short of something else does not block
those behind it. A request that can be met in several ways stands in the queues of all their resources and is granted in
the first of these ways in which it can be; when it is, the queues of the others are served, because it may have been
short there.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from zonesim.engine.state import Needs, Request, ResourceState, Way


def enter(request: Request, now: int) -> bool:
    """Let a newcomer join its queues; return True, with the units seized, when it need not wait."""
    first = request.ways[0]
    if all(not resource.queue and units <= resource.free for resource, units in first.needs) and _in_time(first, now):
        seize(request, 0, now)
        return True
    join(request, now)
    way = _grantable(request, None, now)
    if way is not None:
        leave(request, now)
        seize(request, way, now)
        return True
    for resource, _ in request.needs:
        note_peak(resource, now)
    return False


def note_peak(resource: ResourceState, now: int) -> None:
    """Let the longest queue count one that has grown."""
    if resource.begin <= now < resource.end and len(resource.queue) > resource.peak:
        resource.peak = len(resource.queue)


def release(needs: Needs, now: int) -> list[Request]:
    """Give units back; return the requests that are granted by it, in order."""
    for resource, units in needs:
        resource.use(-units, now)
    return serve([resource for resource, _ in needs], now)


def serve(resources: Iterable[ResourceState], now: int) -> list[Request]:
    """
    Serve the queues of resources, in their order, then those in which somebody stood who was granted in another way,
    by their numbers; return the requests that are granted, in order, with their units seized.
    """
    granted: list[Request] = []
    left: dict[int, ResourceState] = {}

    def serve_one(resource: ResourceState) -> None:
        for request in _serve(resource, now):
            granted.append(request)
            taken = {other for other, _ in request.visit.needs}
            left.update({other.number: other for other, _ in request.needs if other not in taken})

    for resource in resources:
        serve_one(resource)
    while left:
        serve_one(left.pop(min(left)))
    return granted


def _serve(resource: ResourceState, now: int) -> list[Request]:
    """Grant, in order, every waiting request in a queue that the rule allows now; return them."""
    granted: list[Request] = []
    position = 0
    passed_over = 0
    while position < len(resource.queue):
        request = resource.queue[position][1]
        units = request.need(resource)
        # Whoever is short of this resource blocks all behind; also someone passed over, whom a later grant has made
        # short.
        if max(units, passed_over) > resource.free:
            break
        way = _grantable(request, resource, now)
        if way is not None:
            leave(request, now)
            seize(request, way, now)
            granted.append(request)
        else:
            passed_over = max(passed_over, units)
            position += 1
    return granted


def _in_time(way: Way, now: int) -> bool:
    """
    Return whether work that starts now ends before its units go off duty, or is among as much as has units that stay,
    where that is asked.
    """
    end = now + way.lasts
    return all(
        fall.beyond + units <= fall.stay for resource, units in way.needs for fall in resource.falls_within(now, end)
    )


def peak_now(resources: list[ResourceState], now: int) -> None:
    """Let the longest queue count what already waits when the measured window begins."""
    for resource in resources:
        resource.count(now)
        resource.peak = max(resource.peak, len(resource.queue))


def _grantable(request: Request, known: ResourceState | None, now: int) -> int | None:
    """Return the first way in which the rule allows a request, None: none; at the resource `known` it does."""
    return next(
        (number for number, way in enumerate(request.ways) if _is_free(request, way, known) and _in_time(way, now)),
        None,
    )


def _is_free(request: Request, way: Way, known: ResourceState | None) -> bool:
    """Return whether all units of a way are free, and nobody ahead of the request is short of them."""
    for resource, units in way.needs:
        if resource is known:
            continue
        free = resource.free
        if units > free:
            return False
        for _, ahead in resource.queue:
            if ahead is request:
                break
            if ahead.need(resource) > free:
                return False
    return True


def seize(request: Request, way: int, now: int) -> None:
    """Take the units of a request in one of its ways."""
    visit = request.visit
    visit.way, visit.needs = way, request.ways[way].needs
    for resource, units in visit.needs:
        resource.use(units, now)
        for fall in resource.falls_within(now, now + request.ways[way].lasts):
            fall.beyond += units


def join(request: Request, now: int) -> None:
    """Put a request into its queues, each at its place."""
    for resource, _ in request.needs:
        resource.count(now)
        insort(resource.queue, (request.rank, request), key=_rank)


def leave(request: Request, now: int) -> None:
    """Take a waiting request out of its queues."""
    for resource, _ in request.needs:
        resource.count(now)
        del resource.queue[bisect_left(resource.queue, request.rank, key=_rank)]


def _rank(entry: tuple[tuple[int, int], Request]) -> tuple[int, int]:
    return entry[0]
