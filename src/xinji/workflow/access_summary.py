"""What a planned network comes to: one object for scripts, plain words for people."""

from __future__ import annotations

from collections.abc import Iterator

from xinji.units import METRES_PER_KM
from xinji.workflow.access_tables import network_tables
from xinji.workflow.planned_network import NOTHING, TRENCH, WEIGHTS, PlannedNetwork, beyond_plan, money_lines

_CENTS = 2
_MILLION = 1e6
_WORST = 5


def network_record(found: PlannedNetwork) -> dict[str, object]:
    """Return the summary as one object; money in the region's currency, without discount."""
    study, case, design = found.study, found.case, found.design
    money = money_lines(found)
    length_km = case.length_m / METRES_PER_KM
    sizes = found.prices.cable_fibres.tolist()
    worst = network_tables(found)["critical_trenches"] if len(found.critical.links) else {}
    return {
        "region": study.region.name,
        "currency": study.region.currency,
        "fingerprint": study.plan.fingerprint,
        "cells": len(case.premises_node),
        "lines": int(case.premises_lines.sum()),
        "lines_not_reached": int(case.premises_lines[~design.reached].sum()),
        "longest_path_m": round(float(design.length_m[design.reached].max(initial=0.0)), 1),
        "highest_loss_db": round(float(design.loss_db[design.reached].max(initial=0.0)), 2),
        "loss_class_db": study.region.parameters.value("fibre.pon.budget", "dB"),
        "ports": int(design.firsts.sum()),
        "boxes": int(design.boxes.sum()),
        "cabinets": int(design.cabinets.sum()),
        "trench_km": round(float(length_km.sum()), 3),
        "trench_km_with_access_cables": round(float(length_km[design.edge_stage > 0].sum()), 3),
        "cable_km": {
            str(size): round(float((design.cables.count[:, k] * length_km).sum()), 3) for k, size in enumerate(sizes)
        },
        "value": round(design.value, _CENTS),
        "bound": round(design.bound, _CENTS),
        "gap": (design.value - design.bound) / design.value if design.value else 0.0,
        "proof": design.proof,
        "beyond_plan": round(float(beyond_plan(found).sum()), _CENTS),
        "money": [
            {
                "price": line.price,
                "holds": line.holds,
                "in_plan": round(line.in_plan, _CENTS),
                "in_bill": round(line.in_bill, _CENTS),
                "left": round(line.left, _CENTS),
            }
            for line in money
        ],
        "critical_trenches": len(found.critical.links),
        "worst_trench": {name: column[0].item() for name, column in worst.items()},
    }


def network_text(found: PlannedNetwork) -> str:
    """Return the summary in plain words."""
    return "\n".join([*_headline(found), "", *_money(found), "", *_weak_points(found)]) + "\n"


def _headline(found: PlannedNetwork) -> Iterator[str]:
    told = network_record(found)
    design = found.design
    yield f"Access network of {found.study.region.title_en}: {told['lines']:,} lines in {told['cells']:,} cells"
    yield f"  {told['ports']:,} OLT ports, {told['cabinets']:,} cabinets, {told['boxes']:,} boxes"
    longest_km = design.length_m[design.reached].max(initial=0.0) / METRES_PER_KM
    loss = f"{told['highest_loss_db']} dB of {told['loss_class_db']:g} dB"
    yield f"  longest path {longest_km:.1f} km; highest loss {loss}; {told['lines_not_reached']:,} lines not reached"
    currency, gap = found.study.region.currency, (design.value - design.bound) / max(design.value, 1.0)
    yield f"  bill   {design.value / _MILLION:,.2f} million {currency}"
    bound = f"{design.bound / _MILLION:,.2f} million (gap {gap:.2%})"
    yield f"  bound  {bound}: no such network on these ways costs less; by {design.proof}"


def _money(found: PlannedNetwork) -> Iterator[str]:
    """Yield the bill beside the plan's money."""
    currency = found.study.region.currency
    yield f"Most of the bill is in the plan's prices already; do not add the two. Million {currency}:"
    yield f"  {'price of the plan':<24}{'in the plan':>12}{'in the bill':>12}{'left':>10}  holds"
    for line in money_lines(found):
        amounts = f"{line.in_plan / _MILLION:12,.2f}{line.in_bill / _MILLION:12,.2f}{line.left / _MILLION:10,.2f}"
        yield f"  {line.price or '(none)':<24}{amounts}  {line.holds}"
    beyond = beyond_plan(found).sum() / _MILLION
    yield f"  to be added to the plan: {beyond:,.2f} (column beyond_plan of access_bill.csv)"
    for line in money_lines(found):
        if line.left < 0 and line.price not in (NOTHING, TRENCH):
            yield f"  the plan's {line.price} falls short by {-line.left / _MILLION:,.2f}: not in the line above"


def _weak_points(found: PlannedNetwork) -> Iterator[str]:
    critical = found.critical
    yield f"{len(critical.links):,} of {len(found.trench):,} trenches have no second way. The worst cuts take off:"
    yield f"  {'trench':<16}" + "".join(f"{name:>16}" for name in WEIGHTS)
    for link, loss in zip(critical.links[:_WORST].tolist(), critical.link_loss, strict=False):
        name = str(found.study.trenches.id[found.trench[link]])
        yield f"  {name:<16}" + "".join(f"{amount:16,.0f}" for amount in loss.tolist())


__all__ = ["network_record", "network_text"]
