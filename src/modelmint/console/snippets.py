"""Calls that a customer copies: they run as they stand, with the key in the environment and a picture beside them."""

from __future__ import annotations

_CURL = """export MODELMINT_KEY=mm_...
curl {address} \\
  -H "Authorization: Bearer $MODELMINT_KEY" \\
  -F file=@scan.png"""
_EXPLAIN = """curl "{address}?explain=true" \\
  -H "Authorization: Bearer $MODELMINT_KEY" \\
  -F file=@scan.png"""
_FEEDBACK = """curl {origin}/v1/feedback \\
  -H "Authorization: Bearer $MODELMINT_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{"prediction": "prd_...", "thumbs": "up", "comment": "as the specialist said"}}'"""
_PYTHON = """import json, os, urllib.request

def ask(path, data, kind):
    request = urllib.request.Request(
        "{origin}" + path,
        data=data,
        headers={{"Authorization": "Bearer " + os.environ["MODELMINT_KEY"], "Content-Type": kind}},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)

with open("scan.png", "rb") as picture:
    found = ask("/v1/models/{model}/predict", picture.read(), "image/png")
print(found["label"], found["probability"])

# Say whether it was right.
said = {{"prediction": found["id"], "thumbs": "up"}}
print(ask("/v1/feedback", json.dumps(said).encode(), "application/json")["id"])"""
_JAVASCRIPT = """import {{ readFile }} from "node:fs/promises";

const answer = await fetch("{address}", {{
  method: "POST",
  headers: {{
    Authorization: `Bearer ${{process.env.MODELMINT_KEY}}`,
    "Content-Type": "image/png",
  }},
  body: await readFile("scan.png"),
}});
const found = await answer.json();
console.log(found.label, found.probability);"""


def snippets(origin: str, model: str) -> dict[str, str]:
    """By name: ``curl``, ``python``, ``javascript``, ``explain``, ``feedback``, for a shop at ``origin``."""
    told = {"origin": origin, "model": model, "address": f"{origin}/v1/models/{model}/predict"}
    parts = {"curl": _CURL, "python": _PYTHON, "javascript": _JAVASCRIPT, "explain": _EXPLAIN, "feedback": _FEEDBACK}
    return {name: text.format(**told) for name, text in parts.items()}
