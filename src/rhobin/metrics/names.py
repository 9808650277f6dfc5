"""Names of predicted sequences and frames that are not those of the ground truth."""

from collections.abc import Iterable, Mapping, Sequence


def one_of_each(predicted: Sequence[str], true: Sequence[str]) -> str:
    """A predicted and a true frame name that differ, for messages."""
    pairs = zip(predicted, true, strict=False)
    pair = next((pair for pair in pairs if pair[0] != pair[1]), (predicted[0], true[0]))
    return f"predicted {pair[0]!r}, true {pair[1]!r}"


def unscored(predicted: Iterable[str], true: Iterable[str]) -> tuple[str, ...]:
    """A note on predicted sequences that the ground truth lacks; empty where it has all of them."""
    others = sorted(set(map(str, predicted)) - set(true))
    if not others:
        return ()
    named = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    return (f"{len(others)} predicted sequences are not in the ground truth and are not scored ({named})",)


def unmatched(predicted: Mapping[str, Sequence[str]], true: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Notes on sequences of which no predicted frame name is a true one.

    Args:
        predicted: frame names by sequence.
        true: frame names by sequence.

    Returns:
        A sentence for each such sequence, with a name of each kind.
    """
    return tuple(
        f"sequence {name}: none of its {len(frames)} predicted frame names is in the ground truth "
        f"({one_of_each(frames, true[name])})"
        for name, frames in predicted.items()
        if frames and true.get(name) and not set(frames) & set(true[name])
    )
