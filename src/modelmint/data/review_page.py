"""Suspected wrong labels with their pictures, as one page that needs nothing else; English or Chinese."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from html import escape

from modelmint.data.preview import preview
from modelmint.data.reviews import Reviewed, Suspect, Suspects
from modelmint.data.version import DatasetVersion

_MOST = 500
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:70rem;padding:0 1rem;color:#1c1c1c}"
    "ol{list-style:none;padding:0;display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr))}"
    "li{border:1px solid #ccc;padding:.6rem;overflow-wrap:anywhere;font-size:.85rem}li.flagged{border-color:#b3261e}"
    "img{width:100%;image-rendering:pixelated;background:#eee}"
)
_WORDS = {
    "en": {
        "title": "Suspected wrong labels",
        "lead": "{flagged} of {n} training and validation pictures are suspected; worst first. "
        "{method}; {folds} folds.",
        "dataset": "Dataset {digest}. Test pictures are not looked at: they are the judge's.",
        "label": "labelled",
        "suggested": "perhaps",
        "keep": "kept by the reviewer",
        "relabel": "relabelled",
        "drop": "left out",
        "more": "and {count} more in the CSV file",
    },
    "zh": {
        "title": "可疑标签",
        "lead": "{n} 张训练和验证图片中有 {flagged} 张标签可疑，最可疑的在前。方法：{method}；{folds} 折。",
        "dataset": "数据集 {digest}。不检查测试图片，它们只供最终评判。",
        "label": "现标签",
        "suggested": "可能是",
        "keep": "审核后保留",
        "relabel": "已改标签",
        "drop": "已剔除",
        "more": "其余 {count} 张见 CSV 文件",
    },
}
#: How a ranking tells its method, and what it learned from.
_METHOD = re.compile(
    r"logistic regression on (?P<look>.+) \(agrees with the labels: (?P<shares>.+)\), confident learning \(cleanlab\)"
)
_FEATURES = re.compile(r"features of (\S+)")


def review_page(suspects: Suspects, reviewed: Mapping[str, Reviewed], dataset: DatasetVersion, language: str) -> str:
    """HTML with at most 500 pictures inside; ``language`` is "en", or "zh"; others are read as English."""
    words = _WORDS.get(language, _WORDS["en"])
    shown = suspects.rows[:_MOST]
    pictures = _pictures(dataset, shown)
    items = "\n".join(_item(one, pictures[one.name], reviewed.get(one.name), words) for one in shown)
    lead = words["lead"].format(
        flagged=f"{suspects.flagged:,}", n=f"{suspects.n:,}", method=_method(suspects, language), folds=suspects.folds
    )
    left = len(suspects.rows) - len(shown)
    more = f"<p>{escape(words['more'].format(count=f'{left:,}'))}</p>" if left else ""
    return (
        f'<!doctype html>\n<html lang="{language if language in _WORDS else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words['title'])}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(words['title'])}</h1>\n<p>{escape(lead)}</p>\n"
        f"<p>{escape(words['dataset'].format(digest=suspects.dataset[:12]))}</p>\n<ol>\n{items}\n</ol>\n{more}</body></html>\n"
    )


def _method(suspects: Suspects, language: str) -> str:
    """As the ranking tells it, in Chinese where that is the page's language and the form is known."""
    found = _METHOD.fullmatch(suspects.method) if language == "zh" else None
    if found is None:
        return suspects.method
    look, shares = (_FEATURES.sub(r"\1 特征", found[part]).replace("pixels", "像素") for part in ("look", "shares"))
    return f"基于{look}的逻辑回归（与标签相符的比例：{shares.replace(', ', '，')}），置信学习（cleanlab）"


def _pictures(dataset: DatasetVersion, shown: tuple[Suspect, ...]) -> dict[str, bytes]:
    found = {}
    wanted = {one.name for one in shown}
    for split in ("train", "val"):
        rows = dataset.rows(split)
        places = [place for place, row in enumerate(rows) if row.name in wanted]
        for place, payload in zip(places, dataset.payloads_at(split, places), strict=True):
            found[rows[place].name] = preview(payload)
    return found


def _item(one: Suspect, picture: bytes, reviewed: Reviewed | None, words: Mapping[str, str]) -> str:
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    done = f"<br><b>{escape(words[reviewed.decision])}</b>" if reviewed else ""
    flagged = ' class="flagged"' if one.flagged else ""
    return (
        f'<li{flagged}><img src="{source}" alt="{escape(one.name)}"><br>{escape(one.name)}<br>'
        f"{escape(words['label'])} <b>{escape(one.label)}</b> ({one.score:.3f})<br>"
        f"{escape(words['suggested'])} <b>{escape(one.suggested)}</b> ({one.probability:.3f}){done}</li>"
    )
