"""The arguments of the radio verbs, with their help and examples."""

from __future__ import annotations

import argparse

from xinji.cli_arguments import above_zero, add_language, add_region, path, whole

HELP = {
    "coverage": "compute the radio coverage of a region's transmitters as maps and statistics",
    "calibrate": "fit the path-loss model to measured levels, or say why the data do not allow it",
}
EXAMPLES = {
    "coverage": """\
examples:
  xinji coverage xinwu --plan out/xinwu            what the plan covers in its last year
  xinji coverage xinwu --plan out/xinwu --stage 2027 --bands 700,2600 --out out/xinwu_2027
  xinji coverage regions/my_county                 the region's existing sites with their bands
  xinji coverage regions/my_county --sectors sectors.csv --antennas patterns
  xinji coverage xinwu --plan out/xinwu --capacity 10 --seed 1     what busy sectors carry, by Monte Carlo
  xinji coverage regions/my_county --sectors sectors.csv --cluster tcp://10.0.0.5:8786

Path loss is kept in a store and never computed twice; Ctrl-C keeps what is done, and the same
command goes on from there.
""",
    "calibrate": """\
examples:
  xinji calibrate regions/my_county --measurements drive.csv --sectors sectors.csv --out calibration.toml
  xinji coverage regions/my_county --sectors sectors.csv --calibration calibration.toml
""",
}
DONE = {
    "calibrate": " (also where the data allow no correction: the text says why)",
}


def add_radio_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    """Add the arguments of the radio verbs to their parsers in ``made``."""
    coverage, calibrate = made["coverage"], made["calibrate"]
    _add_transmitters(coverage)
    coverage.add_argument("--out", type=path, metavar="DIR", help="folder of the maps (default: out/<region>_coverage)")
    coverage.add_argument(
        "--foreign", type=path, metavar="FILE", help="CSV of rasters in dBm of another tool, by sector"
    )
    coverage.add_argument("--calibration", type=path, metavar="FILE", help="correction that `xinji calibrate` wrote")
    coverage.add_argument(
        "--loads",
        choices=("demand", "given"),
        default="",
        help="how busy sectors are: what demand asks, or as listed (default: given with --sectors, else demand)",
    )
    coverage.add_argument(
        "--capacity",
        type=whole,
        default=0,
        metavar="N",
        help="simulate the capacity of the N busiest sectors of each band (default: 0, none)",
    )
    coverage.add_argument(
        "--seed", type=whole, default=0, metavar="SEED", help="random draws of --capacity start from it (default: 0)"
    )
    _add_engine(coverage)
    coverage.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    add_language(coverage)
    _add_transmitters(calibrate)
    calibrate.add_argument(
        "--measurements", type=path, required=True, metavar="FILE", help="CSV of position, RSRP, serving site and band"
    )
    calibrate.add_argument("--gcj02", action="store_true", help="positions of the measurements are GCJ-02")
    calibrate.add_argument("--out", type=path, metavar="FILE", help="calibration file to write (default: none)")
    _add_engine(calibrate)
    calibrate.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def _add_transmitters(verb: argparse.ArgumentParser) -> None:
    add_region(verb)
    verb.add_argument("--plan", type=path, metavar="DIR", help="the transmitters of a plan that `xinji plan` wrote")
    verb.add_argument(
        "--stage", type=whole, default=0, metavar="YEAR", help="as built by YEAR (default: the plan's last)"
    )
    verb.add_argument("--sectors", type=path, metavar="FILE", help="the transmitters of a list: CSV or GeoPackage")
    verb.add_argument("--antennas", type=path, metavar="DIR", help="folder of MSI pattern files that the list names")
    verb.add_argument("--bands", type=_bands, default=(), metavar="MHZ,MHZ", help="only these bands (default: all)")


def _add_engine(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--terminal-height",
        type=above_zero,
        default=0.0,
        metavar="M",
        help="of the terminal above ground (default: the registry's, 1.5 m)",
    )
    verb.add_argument(
        "--radius",
        type=above_zero,
        default=0.0,
        metavar="M",
        help="of each site's map (default: the longest range_max)",
    )
    verb.add_argument(
        "--time-percent",
        type=above_zero,
        default=0.0,
        metavar="P",
        help="share of time that the loss is not exceeded (default: the registry's, 50 %%)",
    )
    verb.add_argument("--store", type=path, metavar="DIR", help="keep path loss here (default: path_loss beside --out)")
    verb.add_argument("--cluster", default="", metavar="ADDRESS", help="compute on the Dask cluster there")
    verb.add_argument("--workers", type=whole, default=0, metavar="N", help="processes here (default: one a core)")


def _bands(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected bands in MHz such as 700,2600")
    return tuple(sorted({int(part) for part in parts}))
