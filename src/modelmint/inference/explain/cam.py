"""Class-activation maps: what the network itself saw where, for graphs that say so (``workshop.compression.cam``)."""

from __future__ import annotations

import numpy as np

from modelmint.kit.arrays import AnyArray, Float64Array


def cam_map(maps: AnyArray, logits: AnyArray, label: int) -> Float64Array:
    """What speaks for ``label`` rather than for the others, place by place, ``[h, w]``.

    ``maps [labels, h, w]`` are one input's class-activation maps (Zhou et al. 2016), ``logits [labels]`` its answer. A
    label's own map alone would also show what speaks for every label. The log odds of a label are ``z[label] -
    log sum exp z[others]``; to first order a place adds to them its own map less the others', each weighted by its
    share of the softmax among the others.
    """
    wide = np.asarray(maps, dtype=np.float64)
    others = np.delete(np.asarray(logits, dtype=np.float64), label)
    own: Float64Array = wide[label]
    if len(others) == 0:
        return own
    shares = np.exp(others - others.max())
    against: Float64Array = np.tensordot(shares / shares.sum(), np.delete(wide, label, axis=0), axes=1)
    return own - against
