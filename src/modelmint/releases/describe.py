"""What `releases show` prints: a release in plain words and JSON."""

from __future__ import annotations

from typing import Any

from modelmint.releases.bundle import Release
from modelmint.releases.statements import signer


def describe(release: Release, own_public_key: str | None = None) -> dict[str, Any]:
    """Content, evaluation and statements of a release as plain JSON.

    ``own_public_key`` is the workspace's; statements signed by another key are shown as ``foreign``.
    """
    manifest = release.manifest
    evaluation = release.json("evaluation.json").get("models", {})
    return {
        "id": release.id,
        "path": str(release.path),
        "venture": dict(manifest.venture),
        "models": {
            name: {
                "task": model.spec.task,
                "labels": list(model.spec.labels),
                "backbone": model.backbone,
                "settings": dict(model.spec.settings),
                "decision": model.spec.decision,
                "default": model.default,
                "variants": dict(model.variants),
                "test_reads": model.test_reads,
                "metrics": evaluation.get(name, {}).get("metrics", {}),
            }
            for name, model in manifest.models.items()
        },
        "dataset": dict(manifest.dataset),
        "lineage": dict(manifest.lineage),
        "licences": dict(manifest.licences),
        "waivers": dict(manifest.waivers),
        "files": len(manifest.files),
        "statements": [
            {
                "kind": statement.kind,
                "machine": statement.machine,
                "made_at": statement.made_at,
                "signed_by": signer(statement, own_public_key),
                "body": dict(statement.body),
            }
            for statement in release.statements()
        ],
    }
