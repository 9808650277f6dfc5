"""Heads of the report's tables."""

import re

from rhobin.reports.html import plain

COUNTS = {"Frames", "Number"}
SHARES = {"AUC", "AUROC", "Area under the risk"} | {
    f"{name}{by}" for name in ("MSSD", "MSPD", "RE") for by in ("_AR", "-AR")
}
SHARES |= {"AR_all", "AR-all", "Spearman", "Spearman, joints", "Spearman, frames"}


def without_unit(html: str) -> list[str]:
    """Heads that say nothing, and those of numbers that have a unit and do not name it."""
    heads = [(mark, plain(head)) for mark, head in re.findall(r'<th( class="n")?>(.*?)</th>', html)]
    assert heads
    unknown = [head for mark, head in heads if mark and not re.search(r"\[.+\]", head)]
    return [head for head in unknown if head.strip(" ↓↑") not in COUNTS | SHARES] + [
        head for _, head in heads if not head
    ]
