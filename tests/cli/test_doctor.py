from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.cli.doctor.venture import check_venture
from modelmint.cli.doctor.workspace import check_workspace, measure_sync_ms
from modelmint.testing.shops import furnish
from modelmint.testing.ventures import venture_text


def test_doctor_in_an_empty_folder_looks_at_the_machine_and_is_content(modelmint) -> None:
    ran = modelmint("doctor", "--json", "--port", "0")
    found = ran.json
    assert (ran.code, found["ok"]) == (0, True)
    groups = {check["group"] for check in found["checks"]}
    assert groups == {"machine", "python", "extras", "venture", "workspace", "port"}
    named = {check["name"]: check for check in found["checks"]}
    assert "cores" in named["processor"]["found"]
    assert "onnxruntime" in named["engines"]["found"]
    assert named["file"]["state"] == "warn"
    assert "modelmint new" in named["file"]["todo"]


def test_doctor_lists_every_problem_of_the_file_with_its_line_and_leaves_with_2(modelmint, tmp_path: Path) -> None:
    text = venture_text().replace("source =", "sorce =").replace('monthly = "49 USD"', 'monthly = "49 EUR"')
    (tmp_path / "venture.toml").write_text(text)
    ran = modelmint("doctor", "--json")
    assert ran.code == 2
    bad = [check["found"] for check in ran.json["checks"] if check["state"] == "bad"]
    assert any("sorce" in line and "line 7:" in line and "source" in line for line in bad)
    assert len(bad) >= 2


def test_doctor_says_where_data_is_missing(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text(venture_text())
    checks = {(check.group, check.name): check for check in check_venture(tmp_path)}
    assert checks[("venture", "file")].state == "ok"
    assert checks[("data", "source")].state == "bad"
    assert str(tmp_path / "data") in checks[("data", "source")].found


def test_doctor_counts_rows_and_labels_without_decoding(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text(venture_text())
    for label, number in (("dark", 3), ("bright", 2)):
        folder = tmp_path / "data" / label
        folder.mkdir(parents=True)
        for index in range(number):
            (folder / f"{index}.png").write_bytes(b"not decoded here")
    checks = {check.name: check for check in check_venture(tmp_path)}
    assert checks["rows"].state == "warn"
    assert checks["rows"].found.startswith("5 rows")
    assert checks["labels"].found == "dark 3, bright 2"


def test_a_taken_port_is_told_with_the_next_one(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        check = list(check_workspace(tmp_path, "127.0.0.1", port))[-1]
    assert (check.group, check.state) == ("port", "warn")
    assert f"--port {port + 1}" in check.todo


def test_a_synced_write_takes_time_that_is_measured(tmp_path: Path) -> None:
    assert 0 < measure_sync_ms(tmp_path) < 10_000


def test_a_folder_that_does_not_exist_is_bad(tmp_path: Path) -> None:
    checks = list(check_workspace(tmp_path / "nowhere", "127.0.0.1", 0))
    assert checks[0].state == "bad"


@pytest.mark.parametrize("words", [("doctor",), ("doctor", "--plain")])
def test_doctor_for_people_ends_with_a_verdict(modelmint, words: tuple[str, ...]) -> None:
    ran = modelmint(*words)
    assert ran.code == 0
    assert "Ready." in ran.out.splitlines()[-1]
    with pytest.raises(json.JSONDecodeError):
        json.loads(ran.out)


TYPO = """
[plans.clear]
[[plans.clear.charges]]
price = "0.02 USD"
model = "brigthness"
"""


def test_doctor_warns_of_a_charge_that_counts_no_call(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text(venture_text() + TYPO)
    warned = [check.found for check in check_venture(tmp_path) if check.name == "charges"]
    assert len(warned) == 2
    assert "plans.clear.charges.0.model" in warned[0] and "Did you mean 'brightness'?" in warned[0]
    assert "usage that fits none costs nothing" in warned[1]
    assert not (tmp_path / ".modelmint").exists()


def test_doctor_knows_what_is_deployed_under_another_name(tmp_path: Path) -> None:
    made = furnish(tmp_path, venture=venture_text() + TYPO)
    with open_shop(tmp_path) as shop:
        shop.books.deploy("brigthness", made.release, made.model, None)
    books = tmp_path / ".modelmint" / "books.sqlite"
    before = books.read_bytes()
    warned = [check.found for check in check_venture(tmp_path) if check.name == "charges"]
    assert len(warned) == 1 and "costs nothing" in warned[0]
    assert books.read_bytes() == before
