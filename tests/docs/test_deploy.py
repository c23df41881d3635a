"""What `deploy/` promises, as far as it can be checked without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelmint.api.tls import proxies
from modelmint.cli.app import command
from modelmint.testing.shops import furnish

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture
def compose() -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, rest) of a Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word
    ]


def serve_options() -> set[str]:
    return {option for parameter in command().commands["serve"].params for option in parameter.opts}


def test_only_the_proxy_is_published_and_the_database_reaches_nobody(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    assert compose["services"]["db"]["networks"] == ["back"]
    assert compose["networks"]["back"]["internal"] is True
    assert "back" not in compose["services"]["proxy"]["networks"]


def test_the_shop_may_write_its_folder_and_nothing_else_and_gains_no_rights(compose: dict[str, Any]) -> None:
    shop = compose["services"]["shop"]
    assert shop["read_only"] is True
    assert shop["cap_drop"] == ["ALL"]
    assert shop["security_opt"] == ["no-new-privileges:true"]
    assert shop["volumes"] == ["venture:/venture"]
    assert "user" not in shop and "privileged" not in shop  # the image's own user


def test_the_shop_believes_the_network_of_the_proxy_and_nothing_wider(compose: dict[str, Any]) -> None:
    words = compose["services"]["shop"]["command"]
    named = words[words.index("--behind-proxy") + 1]
    (front,) = compose["networks"]["front"]["ipam"]["config"]
    assert proxies([named])[-1] == front["subnet"]
    assert ip_network(named).num_addresses <= 16
    assert {word for word in words if word.startswith("--")} <= serve_options()


def test_every_name_in_the_compose_file_is_declared_and_every_secret_is_asked_for(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service["networks"]) <= set(compose["networks"])
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_file(), volume
        assert set(service.get("depends_on", {})) <= set(compose["services"])
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)", text))
    given = {line.split("=")[0] for line in (DEPLOY / "example.env").read_text().splitlines() if "=" in line}
    assert asked == given == set(re.findall(r"\$\{(\w+):\?", text))


def test_the_image_is_the_shop_without_torch_and_not_root() -> None:
    found = instructions((DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    stages = [rest for word, rest in found if word == "FROM"]
    assert len(stages) == 2 and all(rest.startswith("python:${PYTHON}-slim") for rest in stages)
    installed = next(rest for word, rest in found if word == "RUN" and "pip install" in rest)
    assert "workshop" not in installed and '! /opt/modelmint/bin/python -c "import torch"' in installed
    last = found[[word for word, _ in found].index("FROM", 1) :]
    words = [word for word, _ in last]
    assert dict(last)["USER"] == "10001:10001"
    assert words.index("USER") < words.index("CMD") and "HEALTHCHECK" in words
    root = DEPLOY.parent
    copied = [rest.split()[:-1] for word, rest in found if word == "COPY" and "--from" not in rest]
    allowed = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in (name for names in copied for name in names):
        assert (root / name).exists() and name.removeprefix("./") in allowed, name
    assert set(re.findall(r"--[a-z-]+", dict(last)["CMD"])) <= serve_options()


@pytest.mark.parametrize("line", ["ExecStart=", "#ExecStart="])
def test_the_unit_starts_the_shop_with_options_that_it_has(line: str) -> None:
    text = (DEPLOY / "modelmint.service").read_text(encoding="utf-8")
    (started,) = [one for one in text.splitlines() if one.startswith(line)]
    assert started.removeprefix(line).startswith("/opt/modelmint/bin/modelmint serve ")
    assert set(re.findall(r"--[a-z-]+", started)) <= serve_options()


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    text = (DEPLOY / "modelmint.service").read_text(encoding="utf-8")
    unit = tmp_path / "modelmint.service"
    unit.write_text(text.replace("/opt/modelmint/bin/modelmint", "/bin/true"))  # it looks whether the program is there
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_health_check_of_the_image_says_ready_and_not_ready(tmp_path: Path) -> None:
    """The very command, against a real shop on another port."""
    import modelmint

    found = dict(instructions((DEPLOY / "Dockerfile").read_text(encoding="utf-8")))["HEALTHCHECK"]
    words = yaml.safe_load(found[found.index("[") :])
    furnish(tmp_path)
    with modelmint.open(tmp_path).serve(workers=1) as shop:
        port = shop.url.rsplit(":", 1)[1]
        here = [word.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for word in words]
        # Each try has the two seconds that the command gives it; a busy machine gets more of them than three.
        assert any(subprocess.run(here, check=False, capture_output=True).returncode == 0 for _ in range(20))
    assert subprocess.run(here, check=False, capture_output=True).returncode != 0
