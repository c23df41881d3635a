"""Standard Webhooks: what we sign the specification's own library accepts, and the other way round."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from modelmint.commerce.webhooks.backoff import JITTER, WAITS, wait_after
from modelmint.commerce.webhooks.errors import ForgedWebhook
from modelmint.commerce.webhooks.signing import headers, new_secret, sign, verify

BODY = '{"type":"invoice.finalised","data":{"note":"发票"}}'.encode()


def this_moment() -> int:
    """Asked in each test: the library looks at the clock, and a whole run takes longer than it bears."""
    return int(datetime.now(UTC).timestamp())


def test_the_specifications_library_accepts_our_signature() -> None:
    moment = this_moment()
    secret = new_secret()
    given = headers([secret], "msg_1", moment, BODY)
    assert Webhook(secret).verify(BODY.decode(), given)["type"] == "invoice.finalised"


def test_we_accept_the_signature_of_the_specifications_library() -> None:
    moment = this_moment()
    secret, sent = new_secret(), datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", sent, BODY.decode())
    received = {"webhook-id": "msg_1", "webhook-timestamp": str(int(sent.timestamp())), "webhook-signature": signature}
    assert verify(secret, received, BODY, moment) == "msg_1"


def test_a_signature_worked_by_the_specification_is_the_same_to_the_byte() -> None:
    # The example of the specification's text.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    found = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_holds_as_many_random_bytes_as_the_specification_asks() -> None:
    one, other = new_secret(), new_secret()
    assert one != other and one.startswith("whsec_")
    assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"))) <= 64


def test_during_a_rotation_both_secrets_sign_and_either_is_accepted() -> None:
    moment = this_moment()
    new, old = new_secret(), new_secret()
    given = headers([new, old], "msg_1", moment, BODY)
    for secret in (new, old):
        assert verify(secret, given, BODY, moment) == "msg_1"
        Webhook(secret).verify(BODY.decode(), given)


def test_a_forged_changed_renamed_or_old_message_is_refused() -> None:
    moment = this_moment()
    secret = new_secret()
    given = headers([secret], "msg_1", moment, BODY)
    bad = [
        (given, BODY + b" ", moment),
        ({**given, "webhook-id": "msg_2"}, BODY, moment),
        ({**given, "webhook-timestamp": str(moment + 1)}, BODY, moment),
        ({**given, "webhook-timestamp": "soon"}, BODY, moment),
        ({**given, "webhook-timestamp": "9" * 400}, BODY, moment),
        ({**given, "webhook-signature": "v1,"}, BODY, moment),
        ({**given, "webhook-signature": given["webhook-signature"].replace("v1,", "v2,")}, BODY, moment),
        ({**given, "webhook-signature": "v1,签名"}, BODY, moment),
        ({name: text for name, text in given.items() if name != "webhook-id"}, BODY, moment),
        ({}, BODY, moment),
        (given, BODY, moment + 301),
        (given, BODY, moment - 301),
    ]
    for received, body, now in bad:
        with pytest.raises(ForgedWebhook):
            verify(secret, received, body, now)
    with pytest.raises(ForgedWebhook):
        verify(new_secret(), given, BODY, moment)
    assert verify(secret, given, BODY, moment + 300) == "msg_1"


def test_retries_go_on_for_about_three_days_and_then_end() -> None:
    plain = [wait_after(failures, 0) for failures in range(1, len(WAITS) + 1)]
    assert plain == list(WAITS)
    total = sum(WAITS, timedelta())
    assert timedelta(days=3) <= total <= timedelta(days=3, hours=4)
    assert wait_after(len(WAITS) + 1, 500) is None


def test_a_wait_is_longer_by_chance_and_never_by_more_than_its_share() -> None:
    longest = wait_after(1, 1000)
    assert longest is not None
    assert longest == WAITS[0] + WAITS[0] * JITTER // 1000
    assert WAITS[0] < (wait_after(1, 500) or timedelta()) < longest
