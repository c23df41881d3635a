"""Feedback: given, read, counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, case, cast, exists, func, select, true

from modelmint.commerce.moments import micros, moment
from modelmint.kit.clock import Clock
from modelmint.kit.digest import digest_value
from modelmint.kit.ids import new_id
from modelmint.monitoring.feedback.errors import FeedbackConflict, UnknownPrediction
from modelmint.monitoring.feedback.types import Feedback, Page, Predicted, Said, Tally
from modelmint.store.database import Database
from modelmint.store.schema import call_rollups, feedback, outcomes, remarks
from modelmint.tasks.predictions import answers_of, named

_PAGE = 1000
_own = feedback.c
_later = feedback.alias("later")


class SqlFeedback:
    """``monitoring.feedback.repository.FeedbackBooks`` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def predicted(self, name: str, customer: str | None = None) -> list[Predicted]:
        with self._database.read() as connection:
            return _predicted(connection, name, customer)

    def add(
        self, of: Predicted, said: Said, *, answer: str | None, key: str = "", idempotency_key: str | None = None
    ) -> tuple[Feedback, bool]:
        digest = digest_value([of.name, said.truth, said.thumbs, said.comment])
        with self._database.write() as connection:
            known = _known(connection, of, idempotency_key, digest)
            if known is not None:
                return known, False
            name = new_id("fbk")
            row = {
                "id": name,
                "customer": of.customer,
                "key": key,
                "prediction": of.name,
                "model": of.model,
                "release": of.release,
                "variant": of.variant,
                "answer": answer,
                "permille": None if of.probability is None else round(of.probability * 1000),
                "abstained": None if of.abstained is None else int(of.abstained),
                "truth": said.truth,
                "thumbs": said.thumbs,
                "commented": int(bool(said.comment)),
                "at": micros(self._clock.now()),
            }
            connection.execute(feedback.insert().values(row))
            beside = {"feedback": name, "customer": of.customer, "comment": said.comment, "digest": digest}
            connection.execute(remarks.insert().values({**beside, "idempotency_key": idempotency_key}))
            return _one(connection, name), True

    def page(self, customer: str | None = None, *, before: int | None = None, limit: int = 100) -> Page:
        query = _query().where(_of(customer)).order_by(_own.seq.desc()).limit(limit + 1)
        if before is not None:
            query = query.where(_own.seq < before)
        with self._database.read() as connection:
            rows = [_from(row) for row in connection.execute(query).mappings()]
        return Page(tuple(rows[:limit]), rows[limit - 1].seq if len(rows) > limit else None)

    def all(self, customer: str | None = None) -> Iterator[Feedback]:
        last = 0
        while True:
            query = _query().where(_of(customer), _own.seq > last).order_by(_own.seq).limit(_PAGE)
            with self._database.read() as connection:
                rows = [_from(row) for row in connection.execute(query).mappings()]
            yield from rows
            if len(rows) < _PAGE:
                return
            last = rows[-1].seq

    def tally(self, customer: str | None = None) -> list[Tally]:
        label = func.coalesce(_own.answer, "")
        given, known = _own.truth.is_not(None), and_(_own.answer.is_not(None), _own.abstained == 0)
        columns = {
            "truths": and_(_last("truth"), given, known),
            "agreeing": and_(_last("truth"), given, known, _own.truth == _own.answer),
            "abstained": and_(_last("truth"), given, _own.abstained == 1),
            "unknown": and_(_last("truth"), given, func.coalesce(_own.abstained, 0) == 0, _own.answer.is_(None)),
            "up": and_(_last("thumbs"), _own.thumbs == "up"),
            "down": and_(_last("thumbs"), _own.thumbs == "down"),
        }
        sums = [func.sum(case((test, 1), else_=0)).label(name) for name, test in columns.items()]
        kinds = (_own.release, _own.model, label)
        query = select(*kinds, *sums).where(_of(customer)).group_by(*kinds).order_by(*kinds)
        with self._database.read() as connection:
            return [Tally(*row[:3], *(int(n) for n in row[3:])) for row in connection.execute(query)]

    def confusion(self, customer: str | None = None) -> dict[tuple[str, str], int]:
        known = and_(_own.truth.is_not(None), _own.answer.is_not(None), _own.abstained == 0)
        query = select(_own.truth, _own.answer, func.count()).where(_of(customer), known, _last("truth"))
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(_own.truth, _own.answer))
            return {(truth, answer): int(n) for truth, answer, n in rows}

    def totals(self, customer: str | None = None) -> tuple[int, int, int]:
        rows = select(func.count(), func.count(_own.prediction.distinct())).where(_of(customer))
        calls = call_rollups.c
        mine = true() if customer is None else calls.customer == customer
        answered = select(func.coalesce(func.sum(calls["items"]), 0)).where(calls.billable == 1, mine)
        with self._database.read() as connection:
            given, predictions = connection.execute(rows).one()
            return int(given), int(predictions), int(connection.scalar(answered) or 0)

    def counts(self) -> dict[tuple[str, str], int]:
        tests = {
            "truth": _own.truth.is_not(None),
            "up": _own.thumbs == "up",
            "down": _own.thumbs == "down",
            "comment": _own.commented == 1,
        }
        sums = [func.sum(case((test, 1), else_=0)) for test in tests.values()]
        with self._database.read() as connection:
            rows = connection.execute(select(_own.model, *sums).group_by(_own.model)).all()
        return {(row[0], kind): int(n) for row in rows for kind, n in zip(tests, row[1:], strict=True)}


def _predicted(connection: Connection, name: str, customer: str | None) -> list[Predicted]:
    """Found by the row's own id, so neither a stranger's name nor an old one costs a search."""
    wanted = named(name)
    row = None
    if wanted is not None:
        query = select(outcomes).where(outcomes.c.id == wanted.outcome, outcomes.c.billable == 1)
        row = connection.execute(query).mappings().first()
    if wanted is None or row is None or customer not in (None, row["customer"]) or not row["prediction"]:
        raise _unknown(name)
    answers = answers_of(row["prediction"])
    count = len(answers) or row["items"]
    if wanted.item is not None and (count == 1 or wanted.item >= count):
        raise _unknown(name)
    places = range(count) if wanted.item is None else (wanted.item,)
    return [
        Predicted(
            name=wanted.prediction if count == 1 else f"{wanted.prediction}.{place}",
            customer=row["customer"],
            model=row["model"],
            release=row["release"] or "",
            variant=row["variant"] or "",
            at=moment(row["at"]),
            label=answers[place].label if answers else None,
            probability=answers[place].probability if answers else None,
            abstained=answers[place].abstained if answers else None,
        )
        for place in places
    ]


def _unknown(name: str) -> UnknownPrediction:
    return UnknownPrediction(
        f"no prediction of yours is called {name[:60]!r}; expected the 'id' of an answer, as prd_... or, of several "
        "inputs, prd_....0"
    )


def _known(connection: Connection, of: Predicted, idempotency_key: str | None, digest: str) -> Feedback | None:
    """What was given before and says the same."""
    if idempotency_key is not None:
        mine = and_(remarks.c.customer == of.customer, remarks.c.idempotency_key == idempotency_key)
        row = connection.execute(select(remarks.c.feedback, remarks.c.digest).where(mine)).first()
        if row is not None and row.digest != digest:
            raise FeedbackConflict(
                "this Idempotency-Key came before with other feedback; use a new key for each, or none at all"
            )
        if row is not None:
            return _one(connection, row.feedback)
    newest = select(func.max(_own.seq)).where(_own.prediction == of.name, _own.customer == of.customer)
    query = select(_own.id).join(remarks, remarks.c.feedback == _own.id)
    found = connection.scalar(query.where(_own.seq == newest.scalar_subquery(), remarks.c.digest == digest))
    return None if found is None else _one(connection, found)


def _of(customer: str | None) -> ColumnElement[bool]:
    return true() if customer is None else _own.customer == customer


def _last(column: str) -> ColumnElement[bool]:
    """Whether no later row of the same prediction says anything in ``column``."""
    same = and_(_later.c.prediction == _own.prediction, _later.c.seq > _own.seq, _later.c[column].is_not(None))
    return ~exists().where(same)


def _query() -> Select[Any]:
    later = exists().where(_later.c.prediction == _own.prediction, _later.c.seq > _own.seq)
    newest = cast(case((later, 0), else_=1), Integer).label("newest")
    comment = func.coalesce(remarks.c.comment, "").label("comment")
    return select(feedback, newest, comment).outerjoin(remarks, remarks.c.feedback == _own.id)


def _one(connection: Connection, name: str) -> Feedback:
    return _from(connection.execute(_query().where(_own.id == name)).mappings().one())


def _from(row: Any) -> Feedback:
    return Feedback(
        id=row["id"],
        seq=row["seq"],
        customer=row["customer"],
        key=row["key"],
        prediction=row["prediction"],
        model=row["model"],
        release=row["release"],
        variant=row["variant"],
        answer=row["answer"],
        probability=None if row["permille"] is None else row["permille"] / 1000,
        abstained=None if row["abstained"] is None else bool(row["abstained"]),
        truth=row["truth"],
        thumbs=row["thumbs"],
        comment=row["comment"],
        at=moment(row["at"]),
        newest=bool(row["newest"]),
    )
