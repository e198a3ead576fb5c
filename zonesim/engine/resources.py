"""
The rule by which requests for units are granted.

A request is granted when every need fits the free units now and nobody ahead of it, at any of its resources, is
short of that resource. Nothing is reserved while waiting. A waiter that is short of something else does not block
those behind it.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from zonesim.engine.state import Needs, Request, ResourceState


def enter(request: Request, now: int) -> bool:
    """Let a newcomer join its queues; return True, with the units seized, when it need not wait."""
    ends_in_time = in_time(request, now)
    if ends_in_time and all(not resource.queue and units <= resource.free for resource, units in request.needs):
        seize(request, now)
        return True
    join(request, now)
    if ends_in_time and _grantable(request, None):
        leave(request, now)
        seize(request, now)
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
    granted: list[Request] = []
    for resource, _ in needs:
        if resource.queue:
            granted += serve(resource, now)
    return granted


def serve(resource: ResourceState, now: int) -> list[Request]:
    """Grant, in order, every waiting request that the rule allows now; return them with their units seized."""
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
        if (len(request.needs) == 1 or _grantable(request, resource)) and in_time(request, now):
            leave(request, now)
            seize(request, now)
            granted.append(request)
        else:
            passed_over = max(passed_over, units)
            position += 1
    return granted


def in_time(request: Request, now: int) -> bool:
    """
    Return whether work that starts now ends before its units go off duty, or is among as much as has units that stay,
    where that is asked.
    """
    end = now + request.lasts
    return all(
        fall.beyond + units <= fall.stay
        for resource, units in request.needs
        for fall in resource.falls_within(now, end)
    )


def peak_now(resources: list[ResourceState], now: int) -> None:
    """Let the longest queue count what already waits when the measured window begins."""
    for resource in resources:
        resource.count(now)
        resource.peak = max(resource.peak, len(resource.queue))


def _grantable(request: Request, known: ResourceState | None) -> bool:
    """Return whether the rule allows a request; at the resource `known` it does."""
    for resource, units in request.needs:
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


def seize(request: Request, now: int) -> None:
    """Take the units of a request."""
    for resource, units in request.needs:
        resource.use(units, now)
        for fall in resource.falls_within(now, now + request.lasts):
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
