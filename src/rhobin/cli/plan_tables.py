"""A plan as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

GIB, MIB, GIGA = 2**30, 2**20, 1e9
KINDS = ("parameters", "gradients", "optimizer", "activations", "averaged")
Plan = Mapping[str, Any]


def tables(plan: Plan) -> Iterator[Table | str]:
    """What is printed, in order."""
    for stage in plan["stages"]:
        yield _stage(plan["experiment"], stage)
        yield _memory(stage) if not stage["memory_unknown"] else f"peak memory: {stage['memory_unknown']}"
    yield _hours(plan)
    yield _said(plan)
    yield _missing(plan)


def _stage(name: str, stage: Plan) -> Table:
    table = Table(title=f"{name} {stage['stage']}".strip(), title_justify="left", show_header=False)
    sizes = " or ".join(map(str, stage["input_sizes"]))
    on = f" on each of {stage['devices']} devices" if stage["devices"] > 1 else ""
    views, flops = stage["views"], stage["flops_a_view"] / GIGA
    rows = {
        "parameters": f"{stage['parameters']:,}: {stage['trained']:,} trained, {stage['frozen']:,} frozen",
        "batch": f"{stage['batch_size']} views at {sizes} px{on}, {stage['precision']}",
        "arithmetic": f"{flops:,.3g} GFLOP a view, {stage['flops_a_step'] / GIGA:,.4g} GFLOP a step: "
        "forward, backward, optimiser",
        "views": f"{views['count']:,} ({views['source']})",
        "length": f"{stage['passes']:,.1f} passes, {stage['steps']:,} steps, {stage['images']:,} images",
        "checkpoints": f"{size(stage['checkpoints_bytes'])}: best, last, previous, one being written",
        "data": _data(stage),
    }
    for row in rows.items():
        table.add_row(*row)
    return table


def _data(stage: Plan) -> str:
    if stage["data_bytes"] is not None:
        return f"{size(stage['data_bytes'])} in {stage['data_root']}"
    prepared = size(stage["prepared_bytes"])
    return f"not here; about {prepared} once `rhobin prepare` has stored it (assumed: 130 kB a view)"


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / GIB:,.2f} GiB" if count >= GIB / 10 else f"{count / MIB:,.2f} MiB"


def _memory(stage: Plan) -> Table:
    """Peak by kind, and what fits, a column for each precision."""
    found = stage["memory"]
    table = Table(title="peak memory of a step", title_justify="left")
    table.add_column("")
    for precision in found:
        table.add_column(precision, justify="right")
    for kind in ("peak_bytes", *KINDS):
        shown = [size(one[kind]) if kind in one else "-" for one in found.values()]
        table.add_row(kind.replace("peak_bytes", f"together, {stage['batch_size']} views"), *shown)
    for gib in next(iter(found.values()))["fits"]:
        table.add_row(
            f"largest batch in {gib} GiB", *(str(one["fits"][gib] or "none") for one in found.values())
        )
    return table


def _hours(plan: Plan) -> Table:
    runs = f" of {plan['runs']} runs" if plan["runs"] > 1 else ""
    table = Table(title=f"time{runs}, {plan['images']:,} images", title_justify="left")
    for head in ("card", "hours", "peak TFLOP/s", "used (assumed)", "units"):
        table.add_column(head, justify="right" if head == "hours" else "left")
    for card, total in plan["hours"].items():
        stages = [stage["hours"][card] for stage in plan["stages"]]
        rows = [(f"{one['peak']:g}", f"{one['used']:.0%}", one["units"]) for one in stages]
        assumed = [", ".join(dict.fromkeys(column)) for column in zip(*rows, strict=True)]
        table.add_row(card, f"{total:,.1f}" if total >= 0.1 else "< 0.1", *assumed)
    return table


def _said(plan: Plan) -> str:
    context, fragments = plan["reserve"]["context_gib"], plan["reserve"]["fragments"]
    return (
        f"Memory: the tensors of one step in Lightning's loop, torch {plan['torch']}, nothing computed. "
        f"Batches leave {context:g} GiB for CUDA and {fragments:.0%} for workspaces and gaps (assumed). "
        "Several devices need one more copy of the gradients. Time: arithmetic over what a card sustains, "
        "with data that always arrive in time (assumed)."
    )


def _missing(plan: Plan) -> Table | str:
    if not plan["missing"]:
        return "Nothing is missing here."
    table = Table(title="missing here", title_justify="left")
    for head in ("what", "found", "next"):
        table.add_column(head, overflow="fold")
    for part in plan["missing"]:
        table.add_row(part["what"], part["found"], part["next"])
    return table
