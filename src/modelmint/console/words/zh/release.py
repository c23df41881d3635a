"""The page of a release; its sections bring their own words (releases/dossier/words)."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "nav.release": "发布",
    "release.lead": "正在销售的是什么：有多准、成本多少、关注哪些区域、从何而来。每个数字都来自实测。",
    "release.none": "还没有构建任何发布。构建命令：",
    "release.report": "打开报告",
    "release.save": "保存为 HTML",
    "release.pdf": "保存为 PDF",
    "release.parts": "各节",
    "release.shelf": "全部发布",
    "release.made_at": "制成时间",
    "release.serves": "服务名称",
    "release.more": "另有 {count} 个较早的发布未列出，可按编号打开。",
    "release.broken": "有一个发布已损坏：{what}",
    "problem.release_not_found": "没有该发布",
    "problem.ambiguous_release": "以此开头的发布不止一个",
    "problem.damaged_release": "此发布的文件已被改动或损坏",
}
