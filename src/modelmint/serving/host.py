"""All models that one process serves: public names, hot swap, one queue per served variant."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import ModelmintError
from modelmint.kit.registry import nearest
from modelmint.releases.bundle import Release
from modelmint.serving.call import Call
from modelmint.serving.errors import NotServed, Stopping, Unloadable
from modelmint.serving.lane import Lane
from modelmint.serving.loading import open_lane
from modelmint.serving.types import Answer, EngineChoice, HostFigures, HostLimits, Target

_log = logging.getLogger(__name__)


class Releases(Protocol):
    """Where a host finds releases (``modelmint.releases.shelf.Shelf``)."""

    def get(self, wanted: str) -> Release:
        """By id."""
        ...


class ModelHost:
    """Serves what it is pointed at. Safe to call from any thread.

    ``engine`` overrules the choice that the cost statements made; a candidate is load-tested so.
    """

    def __init__(self, releases: Releases, limits: HostLimits, engine: EngineChoice | None = None) -> None:
        self._releases, self._limits, self._engine = releases, limits, engine
        self._pointing = threading.Lock()
        self._names: dict[str, tuple[Target, Lane]] = {}
        self._retired = HostFigures(0, 0, 0, 0.0)
        self._leaving: list[threading.Thread] = []
        self._closed = False

    def point(self, targets: Sequence[Target]) -> Mapping[str, ModelmintError]:
        """Serve exactly ``targets``, by public name; blocks until the new ones are loaded and warm.

        New calls go to the new release from one moment to the next; calls already queued are answered by the
        one that took them. A target that cannot be loaded leaves its name where it was; the return value says
        why, by name.
        """
        with self._pointing:
            if self._closed:
                raise Stopping("the host is closed")
            failures: dict[str, ModelmintError] = {}
            former = dict(self._names)
            lanes = {_key(target): lane for target, lane in former.values()}
            names: dict[str, tuple[Target, Lane]] = {}
            for target in targets:
                lane = lanes.get(_key(target))
                if lane is None:
                    try:
                        lane = open_lane(self._releases.get(target.release), target, self._limits, self._engine)
                    except Exception as error:
                        failures[target.name] = _readable(error, target)
                        if target.name in former:
                            names[target.name] = former[target.name]
                        continue
                    lanes[_key(target)] = lane
                names[target.name] = (target, lane)
            self._names = names
            kept = {id(lane) for _, lane in names.values()}
            gone = {id(lane): lane for _, lane in former.values() if id(lane) not in kept}
            for old in gone.values():
                self._retire(old)
            return failures

    def submit(
        self,
        name: str,
        payloads: Sequence[bytes],
        wanted: Callable[[], bool] | None = None,
        *,
        tensor: AnyArray | None = None,
        explain: bool = False,
        keep_outputs: bool = False,
        without_picture: bool = False,
    ) -> Future[Answer]:
        """Queue one call; its payloads are answered together, in order.

        ``tensor [n, ...]`` holds inputs that the caller encoded himself, and stands in place of payloads. ``wanted``
        is asked before work starts: False drops the call (``ClientGone``). ``explain`` asks for
        ``Answer.explanations``, drawn on plain ground where ``without_picture``; ``keep_outputs`` for
        ``Answer.outputs``. Raises ``NotServed``, ``Overloaded``, ``TooManyExplanations``, ``Stopping``; the future
        raises leaves of ``InvalidInput`` or ``EngineFailed``.
        """
        call = Call(
            payloads,
            wanted,
            tensor=tensor,
            explain=explain,
            keep_outputs=keep_outputs,
            without_picture=without_picture,
        )
        while True:
            lane = self.lane(name)
            if lane.submit(call):
                return call.future
            if self._closed or self._names.get(name, (None, None))[1] is lane:
                raise Stopping("the server is stopping; try again in a moment", retry_after=1.0)

    def lane(self, name: str) -> Lane:
        """What serves ``name`` now; raises ``NotServed`` with the nearest name."""
        found = self._names.get(name)
        if found is None:
            close = nearest(name, list(self._names))
            hint = f"; did you mean {close!r}?" if close else "."
            known = ", ".join(sorted(self._names)) or "none yet; deploy a release"
            raise NotServed(f"no model called {name[:64]!r} is served here{hint} Served: {known}")
        return found[1]

    def serving(self) -> dict[str, tuple[Target, Lane]]:
        """Public name -> target and lane, now."""
        return dict(self._names)

    def figures(self) -> HostFigures:
        """Counters over all lanes, those that were swapped out included."""
        total = self._retired
        for lane in {id(lane): lane for _, lane in self._names.values()}.values():
            total = _sum(total, lane.figures())
        return total

    def close(self) -> None:
        """Answer what waits, then give everything back."""
        with self._pointing:
            self._closed = True
            lanes = {id(lane): lane for _, lane in self._names.values()}
            for lane in lanes.values():
                lane.close()
            for thread in self._leaving:
                thread.join()

    def _retire(self, lane: Lane) -> None:
        def leave() -> None:
            lane.close()
            done = lane.figures()
            self._retired = _sum(self._retired, HostFigures(0, done.batches, done.items, done.cpu_seconds))

        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        thread = threading.Thread(target=leave, name="lane-drain", daemon=True)
        thread.start()
        self._leaving.append(thread)


def _key(target: Target) -> tuple[str, str, str | None]:
    return (target.release, target.model, target.variant)


def _sum(one: HostFigures, other: HostFigures) -> HostFigures:
    return HostFigures(
        one.waiting + other.waiting,
        one.batches + other.batches,
        one.items + other.items,
        one.cpu_seconds + other.cpu_seconds,
    )


def _readable(error: Exception, target: Target) -> ModelmintError:
    if isinstance(error, ModelmintError):
        return error
    _log.exception("release %s cannot be loaded", target.release)
    return Unloadable(f"release {target.release[:12]} cannot be loaded as {target.name!r}: {error}")
