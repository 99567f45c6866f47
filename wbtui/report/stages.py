"""What is a stage of training, or the data of a run, in one line?"""

from collections.abc import Mapping
from typing import Any


def stage_in_words(stage: Mapping[str, Any]) -> str:
    """One line for a stage as config.toml has it; what is at its default stays unsaid where it says little."""
    loss = stage.get("loss", {})
    loss = loss if isinstance(loss, Mapping) else {}
    epochs = stage.get("epochs", "?")
    words = ["1 epoch" if epochs == 1 else f"{epochs} epochs", _loss(loss)]
    words.append(f"lr {_number(stage.get('learning_rate', '?'))} {stage.get('schedule', '')}".strip())
    words.append(_momentum(stage))
    words.append(f"batch {stage.get('batch_size', '?')}")
    words.append(f"WD {_number(stage.get('weight_decay', 0))}" + _decay_rule(stage))
    if stage.get("feature_regularization"):
        words.append(f"FR {_number(stage['feature_regularization'])}")
    if stage.get("constraint", "none") != "none":
        words.append(f"MaxNorm {_number(stage.get('maxnorm_fraction'))} every {stage.get('maxnorm_every')}")
    if stage.get("sampler", "shuffled") != "shuffled":
        words.append(f"{stage['sampler']} sampler")
    if stage.get("trains", "all") != "all":
        words.append(f"{stage['trains']} only, {stage.get('features', '')} features")
        words.append("fresh classifier" if stage.get("classifier_init") == "fresh" else "")
        words.append("BN statistics move" if stage.get("freeze_bn_stats", True) is False else "")
    return ", ".join(word for word in words if word)


def _loss(loss: Mapping[str, Any]) -> str:
    name = str(loss.get("name", "ce"))
    shown = {
        "cb": ("cb_form", "beta"),
        "focal": ("gamma",),
        "la": ("tau",),
        "vs": ("gamma", "tau"),
        "ldam": ("max_margin", "scale", "reweight_from"),
    }.get(name, ())
    inside = ", ".join(f"{key} {_number(loss[key])}" for key in shown if key in loss)
    return f"loss {name}" + (f" ({inside})" if inside else "")


def _momentum(stage: Mapping[str, Any]) -> str:
    """The momentum where it is not the papers'."""
    kind = "Nesterov momentum" if stage.get("nesterov") is True else "momentum"
    value = stage.get("momentum", 0.9)
    return "" if kind == "momentum" and value == 0.9 else f"{kind} {_number(value)}"


def _decay_rule(stage: Mapping[str, Any]) -> str:
    words = ["without BN"] if stage.get("decay_rule", "all") == "no_bn" else []
    if stage.get("bn_scale", "trained") == "fixed":
        words.append(f"BN scale fixed at {_number(stage.get('fixed_bn_scale'))}")
    return "".join(f", {word}" for word in words)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def model_in_words(model: Mapping[str, Any]) -> str:
    """Net, size and classifier in one line; empty where nothing is known of it."""
    if not model.get("name"):
        return ""
    words = [str(model["name"])]
    words += [f"{key} {model[key]}" for key in ("width", "depth") if model.get(key)]
    head = str(model.get("head", "linear"))
    turned = " from class means" if head == "etf" and model.get("etf_init") == "class_means" else ""
    words.append(f"{head} head{turned}" + ("" if model.get("bias", True) else " without bias"))
    return ", ".join(words)


def data_in_words(data: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """Source and split rule, as measured where the provenance tells, else as configured."""
    known = provenance.get("data", {})
    known = known if isinstance(known, Mapping) else {}
    factor = "" if data.get("profile") == "natural" else f"IF {_number(data.get('imbalance_factor', '?'))}, "
    rule = known.get("description") or (
        f"{data.get('profile', '?')}, {factor}{data.get('split_rule', '?')} rule"
    )
    images = known.get("images", {})
    images = images if isinstance(images, Mapping) else {}
    sizes = ", ".join(f"{count} {split}" for split, count in images.items() if count)
    return f"{data.get('source', '?')}: {rule}" + (f" ({sizes})" if sizes else "")
