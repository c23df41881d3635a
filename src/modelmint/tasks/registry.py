"""The tasks there are."""

from __future__ import annotations

from modelmint.kit.registry import Registry
from modelmint.tasks.image_classification import ImageClassification
from modelmint.tasks.types import Task

TASKS: Registry[Task] = Registry("task", {ImageClassification.name: ImageClassification()})
