"""A release into its dossier: content, newest statements and the workspace's cases, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelmint.evaluation.types import Scorecard
from modelmint.kit.errors import Corrupted, InvalidInput
from modelmint.releases.bundle import Release
from modelmint.releases.dossier import read
from modelmint.releases.dossier.cases import cases_of
from modelmint.releases.dossier.types import (
    DataFacts,
    Dossier,
    Missing,
    ModelFacts,
    Rate,
    Stated,
    StatementFacts,
    Words,
)
from modelmint.releases.manifest import STATEMENTS
from modelmint.releases.types import Damage, ReleasedModel, Statement
from modelmint.releases.verify import verify
from modelmint.venture.errors import VentureNotFound
from modelmint.venture.load import load_venture
from modelmint.venture.sections.card import CardSection

_VENTURE = "venture.toml"


def dossier(
    release: Release,
    workspace: Path | None = None,
    own_key: str | None = None,
    serves: tuple[str, ...] | None = None,
) -> Dossier:
    """All facts of ``release``. ``workspace`` holds its cases, ``own_key`` is its public signing key (base64).

    Every byte is hashed; what a damaged file said is missing, and the damage is told. ``serves`` are the public names
    that point at it, None where nobody looked.
    """
    damage = tuple(verify(release.path))
    content = _Content(release, workspace, own_key, damage)
    manifest = release.manifest
    return Dossier(
        id=release.id,
        founder=_founder(release),
        models=tuple(content.model(name, model) for name, model in sorted(manifest.models.items())),
        data=_data(release),
        licences=dict(manifest.licences),
        waivers=dict(manifest.waivers),
        made_with=str(manifest.lineage.get("modelmint", "")),
        made_at=content.statements[0].made_at if content.statements else "",
        statements=content.told(),
        damage=damage,
        serves=serves,
        files=len(manifest.files),
        size_bytes=sum(path.stat().st_size for name in manifest.files if (path := release.path / name).is_file()),
    )


class _Content:
    """What one reading of the bundle found."""

    def __init__(self, release: Release, workspace: Path | None, own_key: str | None, damage: Sequence[Damage]) -> None:
        self._release, self._workspace, self._own_key, self._damage = release, workspace, own_key, damage
        self.statements = release.statements()
        self._evaluation = _json(release, "evaluation.json").get("models", {})

    def model(self, name: str, model: ReleasedModel) -> ModelFacts:
        """One model with its statements."""
        judged = self._evaluation.get(name, {})
        lineage = self._release.manifest.lineage.get("models", {}).get(name, {})
        cost = self._stated("cost", name, read.cost, only="exact")
        currency = cost.what.currency if isinstance(cost, Stated) else ""
        return ModelFacts(
            name=name,
            task=model.spec.task,
            labels=model.spec.labels,
            backbone=model.backbone,
            settings=dict(model.spec.settings),
            decision=model.spec.decision,
            variants=dict(model.variants),
            default=model.default,
            test_reads=model.test_reads,
            card=_card(judged),
            validation=_estimates(judged.get("validation")),
            drops=_drops(judged),
            plan=dict(lineage.get("plan") or {}),
            weights=dict(lineage.get("weights_source") or {}),
            run=str(lineage.get("run", "")),
            candidates=self._stated("timings", name, read.candidates(currency)),
            gates=self._stated("gates", name, read.gates),
            cost=cost,
            rates=self._rates(name),
            explained=self._explained(name),
            cases=self._cases(name),
        )

    def _explained(self, name: str) -> Any:
        """``Missing`` with the build's own reason where the maps could not be made."""
        newest = self._bodies("explanations", name)[-1:]
        if newest and (reason := newest[0][1].get("failed")):
            return Missing("missing.unexplained", "modelmint build", str(reason))
        return self._stated("explanations", name, read.explained)

    def _cases(self, name: str) -> Any:
        if self._workspace is None:
            return Missing("missing.cases", "modelmint build")
        return cases_of(self._workspace, self._release.id, name)

    def _bodies(self, kind: str, model: str, only: str = "") -> list[tuple[Statement, Mapping[str, Any]]]:
        """Statements of a kind with the part that speaks of ``model``, oldest first; those that hold ``only``."""
        told = [(statement, statement.of(model)) for statement in self.statements if statement.kind == kind]
        return [(statement, body) for statement, body in told if body and (not only or only in body)]

    def _stated(self, kind: str, model: str, reader: Any, only: str = "") -> Any:
        command = "modelmint build"
        damaged = any(
            item.path.startswith(f"{STATEMENTS}/{kind}-") and item.kind != "unexpected" for item in self._damage
        )
        otherwise = Missing("missing.damaged" if damaged else f"missing.{kind}", command)
        return read.stated(self._bodies(kind, model, only), reader, self._own_key, otherwise)

    def _rates(self, model: str) -> tuple[Stated[Rate], ...]:
        """The newest measured rate of each machine, the latest machine first."""
        found: dict[str, Stated[Rate]] = {}
        for pair in self._bodies("cost", model):
            one = read.stated([pair], read.rate, self._own_key, Missing(""))
            if isinstance(one, Stated):
                found[one.source.machine] = one
        return tuple(sorted(found.values(), key=lambda one: one.source.made_at, reverse=True))

    def told(self) -> tuple[StatementFacts, ...]:
        """All statements, damaged ones by the name of their file."""
        sound = [
            StatementFacts(one.kind, one.machine, one.made_at, read.source(one, self._own_key).signed_by)
            for one in self.statements
        ]
        bad = [
            StatementFacts(item.path.removeprefix(f"{STATEMENTS}/"), "", "", "bad")
            for item in self._damage
            if item.path.startswith(f"{STATEMENTS}/")
        ]
        return (*sound, *bad)


def _json(release: Release, name: str) -> dict[str, Any]:
    """{} where the file is not there or is not what it was; ``damage`` tells of it."""
    try:
        return release.json(name)
    except (Corrupted, ValueError):
        return {}


def _card(judged: Mapping[str, Any]) -> Scorecard | Missing:
    if not judged:
        return Missing("missing.card", "modelmint build")
    try:
        return read.scorecard(judged)
    except read.UNEXPECTED:
        return Missing("missing.form", "modelmint build")


def _estimates(raw: Any) -> Mapping[str, Any]:
    try:
        return read.estimates(raw or {})
    except read.UNEXPECTED:
        return {}


def _drops(judged: Mapping[str, Any]) -> dict[str, float]:
    found = (judged.get("against_parent") or {}).get("test") or {}
    return {str(name): float(value) for name, value in found.items() if isinstance(value, (int, float))}


def _data(release: Release) -> DataFacts:
    manifest, card = release.manifest.dataset, _json(release, "dataset.json")
    pictures = card.get("pictures") or {}
    size = (pictures.get("channels"), pictures.get("median_width"), pictures.get("median_height"))
    return DataFacts(
        digest=str(manifest.get("digest", "")),
        rows=dict(card.get("rows") or manifest.get("rows") or {}),
        by_label=dict(card.get("rows_by_label") or {}),
        positive=card.get("positive"),
        pictures=None if None in size else size,  # type: ignore[arg-type]  # looked at above
        groups=int(card.get("groups") or 0),
        facts={str(name): str(value) for name, value in (card.get("facts") or {}).items()},
        findings=tuple((one["kind"], one["action"], one["rows"]) for one in card.get("problems") or ()),
        licence=str(card.get("licence") or release.manifest.licences.get("data", "")),
    )


def _founder(release: Release) -> Words:
    """From the bundled venture file; one that this version cannot read adds nothing to the manifest's words."""
    told, card = release.manifest.venture, CardSection()
    try:
        if _VENTURE in release.manifest.files:
            card = load_venture(release.file(_VENTURE)).file.card
    except (Corrupted, InvalidInput, VentureNotFound):
        pass
    return Words(
        name=told.get("name", ""),
        purpose=told.get("purpose", ""),
        use=told.get("use", ""),
        users=card.users,
        tested_on=card.tested_on,
        contact=card.contact,
        limits=card.limits,
        out_of_scope=card.out_of_scope,
    )
