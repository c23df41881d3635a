"""Feedback in the books; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from modelmint.kit.clock import ManualClock
from modelmint.monitoring.feedback.agreement import summary
from modelmint.monitoring.feedback.errors import FeedbackConflict, UnknownPrediction
from modelmint.monitoring.feedback.types import Feedback, Said
from modelmint.store.backup import back_up, restore
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.tasks.predictions import noted, prediction_of
from modelmint.testing.books import Caller, a_caller

LABELS = ("normal", "pneumonia")


def answer(caller: Caller, *answers: tuple[int, float, bool]) -> str:
    """A paid call that answered so; the prediction's name."""
    admitted = caller.reserve(len(answers))
    prediction = prediction_of(admitted.reservation)
    caller.settle(
        admitted,
        prediction=noted(prediction, answers),
        calls=len(answers),
        items=len(answers),
        release="r1",
        variant="v",
    )
    return prediction


def say(books: SqlBooks, caller: Caller, name: str, said: Said, **more: str) -> Feedback:
    (of,) = books.feedback.predicted(name, caller.customer.id)
    return books.feedback.add(of, said, answer=None if of.label is None else LABELS[of.label], **more)[0]


def test_a_prediction_is_found_by_its_name_with_what_was_answered(books: SqlBooks) -> None:
    caller = a_caller(books)
    name = answer(caller, (1, 0.9, False))
    (found,) = books.feedback.predicted(name, caller.customer.id)
    assert (found.name, found.release, found.label, found.abstained) == (name, "r1", 1, False)
    assert found.probability == pytest.approx(0.9, abs=0.001)
    several = answer(caller, (0, 0.8, False), (1, 0.6, True))
    assert [one.name for one in books.feedback.predicted(several)] == [f"{several}.0", f"{several}.1"]
    (second,) = books.feedback.predicted(f"{several}.1", caller.customer.id)
    assert (second.label, second.abstained) == (1, True)


def test_another_customers_prediction_and_none_at_all_are_unknown_in_the_same_words(books: SqlBooks) -> None:
    caller, other = a_caller(books), a_caller(books, name="Clinic South")
    name = answer(caller, (0, 0.9, False))
    refused = caller.reserve()
    caller.settle(refused, status=422, code="not_a_picture")
    none = "prd_" + "0" * 24
    for wanted, who in (
        (name, other),
        (none, caller),
        (f"{name}.0", caller),
        (prediction_of(refused.reservation), caller),
    ):
        with pytest.raises(UnknownPrediction) as told:
            books.feedback.predicted(wanted, who.customer.id)
        assert told.value.message.replace(wanted, "X") == (
            "no prediction of yours is called 'X'; expected the 'id' of an answer, as prd_... or, of several inputs, "
            "prd_....0"
        )


def test_a_call_settled_before_names_led_to_rows_is_unknown_and_one_without_answers_counts_apart(
    books: SqlBooks,
) -> None:
    caller = a_caller(books)
    admitted = caller.reserve()
    caller.settle(admitted, prediction=prediction_of(admitted.reservation), release="r1")
    say(books, caller, prediction_of(admitted.reservation), Said(truth="normal"))
    found = summary(books.feedback)
    assert (found.agreement.n, found.unknown, found.predictions) == (0, 1, 1)


def test_a_correction_is_a_row_and_the_newest_counts(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    name = answer(caller, (1, 0.9, False))
    first = say(books, caller, name, Said(truth="normal", comment="sure?"))
    assert summary(books.feedback).agreement.value == 0.0
    clock.advance(timedelta(minutes=1))
    say(books, caller, name, Said(thumbs="up"))
    second = say(books, caller, name, Said(truth="pneumonia"))
    rows = books.feedback.page().rows
    assert [row.id for row in rows] == [second.id, rows[1].id, first.id]
    assert [row.newest for row in rows] == [True, False, False]
    found = summary(books.feedback)
    assert (found.rows, found.predictions, found.agreement.value, found.agreement.n) == (3, 1, 1.0, 1)
    assert (found.thumbs_up.value, found.thumbs_up.n) == (1.0, 1)  # what a later row does not speak of stands


def test_the_same_again_is_no_row_with_a_key_and_without(books: SqlBooks) -> None:
    caller = a_caller(books)
    name = answer(caller, (1, 0.9, False))
    (of,) = books.feedback.predicted(name)
    add = books.feedback.add
    first, new = add(of, Said(thumbs="up"), answer="pneumonia")
    assert new
    assert add(of, Said(thumbs="up"), answer="pneumonia") == (first, False)
    keyed, new = add(of, Said(thumbs="down"), answer="pneumonia", idempotency_key="k")
    assert new
    add(of, Said(thumbs="up"), answer="pneumonia")
    assert add(of, Said(thumbs="down"), answer="pneumonia", idempotency_key="k")[0].id == keyed.id
    with pytest.raises(FeedbackConflict):
        add(of, Said(thumbs="up", comment="other"), answer="pneumonia", idempotency_key="k")
    assert [row.thumbs for row in books.feedback.all()] == ["up", "down", "up"]


def test_twenty_at_once_with_one_key_are_one_row(books: SqlBooks) -> None:
    caller = a_caller(books)
    (of,) = books.feedback.predicted(answer(caller, (1, 0.9, False)))
    added: list[bool] = []

    def give() -> None:
        added.append(books.feedback.add(of, Said(truth="normal"), answer="pneumonia", idempotency_key="same")[1])

    threads = [threading.Thread(target=give) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 19 + [True]


def test_agreement_has_wilsons_interval_and_leaves_abstentions_out(books: SqlBooks) -> None:
    caller = a_caller(books, plan="payg")
    for place in range(10):
        say(books, caller, answer(caller, (1, 0.9, False)), Said(truth=LABELS[place != 0]))
    say(books, caller, answer(caller, (0, 0.55, True)), Said(truth="pneumonia"))
    say(books, caller, answer(caller, (0, 0.7, False)), Said(truth="pneumonia", thumbs="down"))
    found = summary(books.feedback)
    assert (found.agreement.n, found.agreement.value) == (11, pytest.approx(9 / 11))
    # Wilson for 9 of 11 by hand: centre (p + z2 / 2n) / (1 + z2 / n), half z sqrt(pq / n + z2 / 4n2) / (1 + z2 / n)
    assert (found.agreement.low, found.agreement.high) == (
        pytest.approx(0.5230, abs=1e-3),
        pytest.approx(0.9486, abs=1e-3),
    )
    assert (found.abstained, found.answered) == (1, 12)
    assert {part.label: (part.agreement.n, part.agreement.value) for part in found.by_label} == {
        "normal": (1, 0.0),
        "pneumonia": (10, 0.9),
    }
    assert found.confusion == {"normal": {"pneumonia": 1}, "pneumonia": {"normal": 1, "pneumonia": 9}}
    assert books.feedback.counts() == {
        ("reader", "truth"): 12,
        ("reader", "up"): 0,
        ("reader", "down"): 1,
        ("reader", "comment"): 0,
    }


def test_pages_go_from_the_newest_to_the_oldest_and_hold_each_row_once(books: SqlBooks) -> None:
    caller, other = a_caller(books), a_caller(books, name="Clinic South")
    given = [say(books, caller, answer(caller, (1, 0.9, False)), Said(thumbs="up")).id for _ in range(5)]
    say(books, other, answer(other, (1, 0.9, False)), Said(thumbs="down"))
    seen, before = [], None
    while True:
        page = books.feedback.page(caller.customer.id, before=before, limit=2)
        seen += [row.id for row in page.rows]
        before = page.next
        if before is None:
            break
    assert seen == given[::-1]


def test_feedback_is_never_changed_in_the_database(books: SqlBooks, url: str) -> None:
    caller = a_caller(books)
    say(books, caller, answer(caller, (1, 0.9, False)), Said(thumbs="up"))
    engine = create_engine(url)
    for statement in ("UPDATE feedback SET thumbs = 'down'", "DELETE FROM feedback"):
        with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_erasing_a_customer_takes_comments_and_consent_and_leaves_the_counts(books: SqlBooks, url: str) -> None:
    caller = a_caller(books)
    books.people.set_consent(caller.customer.id, True)
    say(
        books,
        caller,
        answer(caller, (1, 0.9, False)),
        Said(truth="normal", comment="Zephyrine says"),
        idempotency_key="zk",
    )
    books.people.erase(caller.customer.id, force=True)
    assert not books.people.consents(caller.customer.id)
    (row,) = books.feedback.all()
    assert (row.comment, row.truth) == ("", "normal")
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM remarks")).scalar() == 0
    engine.dispose()
    assert books.journal.verify(raw=True).findings == ()


def test_consent_is_asked_for_and_can_be_taken_back(books: SqlBooks) -> None:
    caller, other = a_caller(books), a_caller(books, name="Clinic South")
    people = books.people
    assert not people.consents(caller.customer.id)
    assert people.set_consent(caller.customer.id, True)
    assert not people.set_consent(caller.customer.id, True)
    assert people.consenting(among=[caller.customer.id, other.customer.id]) == {caller.customer.id}
    assert people.set_consent(caller.customer.id, False)
    assert people.consenting() == set()
    actions = [entry.action for entry in people.audit(caller.customer.id)]
    assert actions[:2] == ["consent.withdrawn", "consent.given"]


def test_a_backup_holds_feedback_consents_and_leads(
    books: SqlBooks, url: str, clock: ManualClock, tmp_path: Path, new_url
) -> None:
    caller = a_caller(books)
    say(books, caller, answer(caller, (1, 0.9, False)), Said(truth="normal", comment="why"))
    books.people.set_consent(caller.customer.id, True)
    books.visitors.leave("ada@example.org", "nice", prediction=None, language="en", consent="yes")
    back_up(url, tmp_path / "backup.zip", clock.now())
    other = new_url()
    restore(other, tmp_path / "backup.zip")
    again = open_books(other, clock)
    assert [row.comment for row in again.feedback.all()] == ["why"]
    assert again.people.consents(caller.customer.id)
    assert [lead.email for lead in again.visitors.all_leads()] == ["ada@example.org"]
    # The counter goes on behind what was restored.
    again_caller = Caller(again, caller.customer, caller.key, caller.secret)
    say(again, again_caller, answer(again_caller, (1, 0.9, False)), Said(thumbs="up"))
    again.close()
