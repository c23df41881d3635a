"""Label names of the two-dimensional MedMNIST v2 sets (Yang et al., Scientific Data 2023), by file name.

The order is that of the numbers in the files.
"""

from __future__ import annotations

import re

_ORGANS = (
    "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left",
    "lung-right", "pancreas", "spleen",
)  # fmt: skip
LABELS: dict[str, tuple[str, ...]] = {
    "pathmnist": (
        "adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa",
        "cancer-associated stroma", "colorectal adenocarcinoma epithelium",
    ),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions",
        "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions",
    ),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "pneumoniamnist": ("normal", "pneumonia"),
    "retinamnist": ("0", "1", "2", "3", "4"),
    "breastmnist": ("malignant", "normal, benign"),
    "bloodmnist": (
        "basophil", "eosinophil", "erythroblast",
        "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)", "lymphocyte", "monocyte", "neutrophil",
        "platelet",
    ),
    "tissuemnist": (
        "Collecting Duct, Connecting Tubule", "Distal Convoluted Tubule", "Glomerular endothelial cells",
        "Interstitial endothelial cells", "Leukocytes", "Podocytes", "Proximal Tubule Segments",
        "Thick Ascending Limb",
    ),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
}  # fmt: skip
#: Several labels a picture; not a choice of one.
MULTI_LABEL = frozenset({"chestmnist"})
_SIZE = re.compile(r"_(?:28|64|128|224)$")
#: As published for the family; DermaMNIST differs.
_LICENCES = {"dermamnist": "CC BY-NC 4.0"}


def family(stem: str) -> str | None:
    """The set that a file is named after (``pathmnist``, ``pathmnist_64``); None for a stranger."""
    name = _SIZE.sub("", stem.lower())
    return name if name in LABELS or name in MULTI_LABEL else None


def licence(name: str) -> str:
    """The licence that the set was published under."""
    return _LICENCES.get(name, "CC BY 4.0")
