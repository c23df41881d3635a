"""What plots say, in every language; written by meaning, not word for word."""

from __future__ import annotations

from collections.abc import Mapping

from modelmint.evaluation.errors import UnknownReportLanguage

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "roc": "ROC curve",
        "roc_desc": "Share of true cases found against share of false alarms, for every threshold.",
        "false_rate": "false alarms (1 - specificity)",
        "true_rate": "found (sensitivity)",
        "chosen": "chosen threshold",
        "one_class": "No curve: this split holds one class only",
        "reliability": "Reliability",
        "reliability_desc": "How often answers were right against how sure they were; on the diagonal both agree.",
        "confidence": "how sure the answer was",
        "accuracy": "how often it was right",
        "ideal": "perfectly calibrated",
        "share": "share of rows",
        "confusion": "Confusion matrix",
        "confusion_desc": "Rows are true labels, columns are answers; darker is a larger share of the row.",
        "truth": "true label",
        "answer": "answer",
        "rows": "rows",
        "train": "training",
        "val": "validation",
        "test": "test",
    },
    "zh": {
        "roc": "ROC 曲线",
        "roc_desc": "在每个阈值下，检出的阳性比例与误报比例的关系。",
        "false_rate": "误报率（1 − 特异度）",
        "true_rate": "检出率（灵敏度）",
        "chosen": "所选阈值",
        "one_class": "无法绘制：该划分只含一个类别",
        "reliability": "可靠性图",
        "reliability_desc": "答案的把握与实际正确率的关系；落在对角线上表示两者一致。",
        "confidence": "答案的把握",
        "accuracy": "实际正确率",
        "ideal": "完全校准",
        "share": "样本占比",
        "confusion": "混淆矩阵",
        "confusion_desc": "行为真实标签，列为模型答案；颜色越深，占该行的比例越大。",
        "truth": "真实标签",
        "answer": "模型答案",
        "rows": "样本数",
        "train": "训练集",
        "val": "验证集",
        "test": "测试集",
    },
}


def words(lang: str) -> Mapping[str, str]:
    """The words of one language; raises ``UnknownReportLanguage``."""
    try:
        return WORDS[lang]
    except KeyError:
        raise UnknownReportLanguage(f"expected a language of {', '.join(WORDS)}; found {lang!r}") from None
