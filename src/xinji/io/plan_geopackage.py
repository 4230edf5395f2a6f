"""A plan as a GeoPackage that QGIS opens with its styles on.

Styles live where QGIS looks for them: a table ``layer_styles`` in the file, one row a layer, the
default marked by ``useAsDefault`` (QGIS, "Save Layer Style > In Datasource Database").
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyogrio
import pyogrio.errors

from xinji.core.study import Study
from xinji.errors import OutputError
from xinji.io.atomic import atomic_file
from xinji.io.plan_layers import Words, plan_facts, plan_layers
from xinji.io.plan_qml import layer_styles, qml

FACTS_LAYER = "plan"
"""The table without geometry that says which plan the file holds."""

_GDAL_ERRORS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
)

STYLE_TABLE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT, f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT,
  styleName TEXT, styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
  description TEXT, owner TEXT, ui TEXT,
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)
"""
STYLE_ROW = """
INSERT INTO layer_styles
  (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, styleSLD,
   useAsDefault, description, owner, ui)
VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '', NULL)
"""
CONTENTS_ROW = """
INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('layer_styles', 'attributes', 'layer_styles')
"""


def write_geopackage(path: Path, study: Study, *, words: Words) -> Path:
    """Write the plan's layers, styles and facts to ``path``, whole or not at all, and return it.

    ``words`` (``xinji.show.text.words``) gives reasons and legends in the reader's language.
    Raises OutputError where the disk refuses.
    """
    layers: dict[str, pd.DataFrame] = {**plan_layers(study, words)}
    layers[FACTS_LAYER] = pd.DataFrame([plan_facts(study)])
    styles = layer_styles(study.policy.years, words)
    with atomic_file(path) as fresh:
        try:
            for name, layer in layers.items():
                # An older version of the format is read by every QGIS without a warning.
                options = None if fresh.exists() else {"VERSION": "1.2"}
                pyogrio.write_dataframe(
                    layer, fresh, layer=name, driver="GPKG", append=fresh.exists(), dataset_options=options
                )
            _write_styles(fresh, {name: qml(style) for name, style in styles.items() if name in layers})
        except (*_GDAL_ERRORS, sqlite3.Error) as error:
            message = f"{path} could not be written: {error}. Check the disk's free space."
            raise OutputError(f"{message} Nothing half-written is left.") from error
    return path


def _write_styles(path: Path, documents: Mapping[str, str]) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        columns = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        database.execute(STYLE_TABLE)
        database.execute(CONTENTS_ROW)
        for name, text in documents.items():
            database.execute(STYLE_ROW, (name, columns[name], name, text, f"Xinji: {name}"))
