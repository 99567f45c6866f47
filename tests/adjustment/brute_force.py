"""How often each class is right at some strengths: every class compared in float64, as the formulas are written."""

import numpy as np

from wbtui.metrics import assign_groups


def groups_of(scored):
    return assign_groups(scored.train_counts, 100, 20)


def adjusted(name, scored, strength, p):
    """float64 scores, written from the formulas."""
    z = scored.logits.astype(np.float64)
    match name:
        case "none":
            return z
        case "additive":
            return z - strength * np.log(p)
        case "multiplicative":
            return z * p**-strength
        case "additive_multiplicative":
            return z * p**-0.5 - strength * np.log(p)
        case "tau_norm_no_bias":
            return (z - scored.bias) * scored.classifier_norms**-strength
        case "tau_norm":
            return (z - scored.bias) * scored.classifier_norms**-strength + scored.bias


def brute_counts(name, scored, strengths):
    p = scored.train_counts / scored.train_counts.sum()
    counts = np.zeros((len(strengths), scored.n_classes), dtype=int)
    for row, strength in zip(counts, strengths, strict=True):
        right = adjusted(name, scored, strength, p).argmax(axis=1) == scored.labels
        row[:] = np.bincount(scored.labels[right], minlength=scored.n_classes)
    return counts
