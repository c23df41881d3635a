"""What one server process holds: the shop, its models, the paid operation, and its row on the board."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

from modelmint.api.board import Board, Slot
from modelmint.api.identity import admin_token
from modelmint.api.problems import status_of
from modelmint.api.throttle import Throttle
from modelmint.api.turns import Turns
from modelmint.bootstrap import Shop
from modelmint.operations.composing import Composed
from modelmint.operations.deploy import Follower
from modelmint.operations.keep_inputs import Keeper, Offer
from modelmint.operations.predict import Answered, Predict, PredictRequest
from modelmint.serving.host import ModelHost
from modelmint.serving.types import EngineChoice

_log = logging.getLogger("modelmint.api")
POLL_SECONDS = 0.5


class Service:
    """Blocking to make (models are loaded and warm afterwards) and to close."""

    def __init__(
        self,
        shop: Shop,
        *,
        board: Board | None = None,
        worker: int = 0,
        engine: EngineChoice | None = None,
    ) -> None:
        self.shop = shop
        self.board = board or _own_board()
        self.slot: Slot = self.board.slot(worker)
        self.slot.started()
        self.limits = shop.limits(self.board.workers)
        self.host = ModelHost(shop.shelf, self.limits, engine)
        self.follower = Follower(shop.books, self.host)
        rules = shop.keep_rules
        #: Keeps what customers send, where the venture says so.
        self.keeper = None if rules is None else Keeper(shop.books, shop.inputs, rules)
        kept = None if self.keeper is None else _offered_to(self.keeper)
        self.predict = Predict(shop.books, self.host, status_of, kept)
        self.admin_token = admin_token(shop.workspace)
        self.throttle, self.turns = Throttle(self.admin_token), Turns()
        #: True from the moment a graceful stop began: not ready any more, calls under way are finished.
        self.draining = False
        self.follow()

    def follow(self) -> None:
        """Serve what the books say now; a deployment that cannot be loaded is logged and counted."""
        known = set(self.follower.failures)
        self.follower.follow()
        for name, error in self.follower.failures.items():
            if name not in known:
                _log.error("deployment of %s is not served: %s", name, error)
        self.slot.set("stale_deployments", len(self.follower.failures))

    async def keep_following(self) -> None:
        """Look for new deployments and publish the host's figures until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await asyncio.to_thread(self.follow)
            except Exception:  # the books may be away for a moment; what is served goes on
                _log.exception("could not read the deployments")
            self.publish()

    def publish(self) -> None:
        """Write the host's figures on the board."""
        figures = self.host.figures()
        self.slot.set("waiting", figures.waiting)
        self.slot.set("batches", figures.batches)
        self.slot.set("items", figures.items)
        self.slot.set("engine_cpu_seconds", figures.cpu_seconds)

    def close(self) -> None:
        """Finish what waits and close the books."""
        self.slot.set("ready", 0)
        self.host.close()
        if self.keeper is not None:
            self.keeper.close()
        self.shop.close()


def _offered_to(keeper: Keeper) -> Answered:
    def answered(request: PredictRequest, made: Composed) -> None:
        admitted, answer = made.admitted, made.answer
        keeper.offer(Offer(admitted.customer, made.prediction, made.model, answer.release, request.payloads))

    return answered


def _own_board() -> Board:
    """A board for one process alone; its file is gone as soon as it is mapped."""
    with tempfile.TemporaryDirectory() as folder:
        return Board(Path(folder) / "board", 1, create=True)
