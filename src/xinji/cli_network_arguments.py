"""The arguments of ``xinji network``, with its help and examples."""

from __future__ import annotations

import argparse

from xinji.cli_arguments import path

HELP = {"network": "design the fibre access network of a plan in detail, and name the trenches that must not be cut"}
EXAMPLES = {
    "network": """\
examples:
  xinji network out/xinwu                       design it, write out/xinwu_network
  xinji network out/xinwu --out out/fibre --json
  xinji network out/xinwu --microwave           where a hop is cheaper than a site's own trench

written: access_bill.csv, access_money.csv (the bill beside the plan's money), access_premises.csv,
critical_trenches.csv, critical_nodes.csv, network.gpkg (layers fibre_cables, critical_trenches, splitters,
exchanges, critical_nodes) and network.json; with --microwave site_backhaul.csv, microwave_hops.csv and a
layer of them too. Most of the bill is in the plan's prices already: never add the
two; the column beyond_plan says what has to be added.
"""
}
DONE = {"network": " (cells out of the light's reach are marked and counted, not refused)"}


def add_network_verb(made: dict[str, argparse.ArgumentParser]) -> None:
    """Add the arguments of network to its parser in ``made``."""
    verb = made["network"]
    verb.add_argument("folder", type=path, metavar="PLAN", help="a folder that `xinji plan` wrote")
    text = "folder of the network (default: PLAN_network, beside the plan)"
    verb.add_argument("--out", type=path, metavar="DIR", help=text)
    text = "choose trench or microwave for each site too"
    verb.add_argument("--microwave", action="store_true", help=text)
    verb.add_argument("--json", action="store_true", help="print the summary as one JSON object")
