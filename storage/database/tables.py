"""Our tables, beside Optuna's in the same database; every name begins with `dicecurve_`."""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 4

metadata = sa.MetaData()

studies = sa.Table(
    "dicecurve_studies",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("identity", sa.JSON, nullable=False),
    sa.Column("running", sa.JSON, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("split", sa.JSON, nullable=False),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
)

orders = sa.Table(  # since version 3
    "dicecurve_orders",
    metadata,
    sa.Column("study_id", sa.ForeignKey(studies.c.study_id), primary_key=True),
    sa.Column("seed", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("cases", sa.JSON, nullable=False),  # training cases, in the order in which they join the subsets
)

spec_changes = sa.Table(
    "dicecurve_spec_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study_id", sa.ForeignKey(studies.c.study_id), nullable=False, index=True),
    sa.Column("changed_at", sa.DateTime, nullable=False),  # naive UTC, as Optuna's own
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("versions", sa.JSON, nullable=False),
)

cells = sa.Table(
    "dicecurve_cells",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study_id", sa.ForeignKey(studies.c.study_id), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("ratio", sa.Float, nullable=False),
    sa.Column("depth", sa.Integer, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("num_cases", sa.Integer, nullable=False),
    sa.Column("parameters", sa.BigInteger, nullable=False),
    sa.Column("variant", sa.String(200)),  # of the protocol; empty is its own; since version 4
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("role", sa.String(10)),  # grid, repeat or confirm; empty is grid; since version 2
    sa.Column("skip", sa.Text),  # a provisional reason not to train it; told to Optuna when the study closes
    sa.Column("skip_forecast", sa.JSON),  # mean, lower and upper that stand in for it; since version 2
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False, server_default="0"),
    sa.Column("owner", sa.String(300)),
    sa.Column("counter", sa.Integer, nullable=False, server_default="0"),
    sa.Column("losses", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("study_id", "key"),
    sa.Index("dicecurve_cells_by_state", "study_id", "state"),
)

attempts = sa.Table(
    "dicecurve_attempts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("cell_id", sa.ForeignKey(cells.c.id), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("trial_id", sa.Integer, nullable=False, unique=True),
    sa.Column("checkpoint", sa.String(40)),
    sa.Column("device", sa.String(8)),
    sa.Column("device_share", sa.Float, nullable=False, server_default="1"),
    sa.Column("device_name", sa.String(200)),
    sa.Column("versions", sa.JSON),
    sa.Column("planned_steps", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unrecorded_seconds", sa.Float, nullable=False, server_default="0"),  # since the last evaluation
    sa.Column("lost_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("stop_reason", sa.Text),
    sa.Column("forecast", sa.JSON),
    sa.Column("failure", sa.Text),
    sa.Column("notes", sa.JSON),  # what befell it: lost workers, damaged checkpoints; since version 2
    sa.Column("told_dsc", sa.Float),  # of an imported table: a DSC without cases behind it; since version 2
    sa.Column("best_evaluation", sa.Integer),
    sa.Column("validation_counts", sa.JSON),
    sa.Column("test_counts", sa.JSON),
    sa.Column("test_seconds", sa.Float, nullable=False, server_default="0"),
    sa.UniqueConstraint("cell_id", "number"),
)

evaluations = sa.Table(
    "dicecurve_evaluations",
    metadata,
    sa.Column("attempt_id", sa.ForeignKey(attempts.c.id), primary_key=True),
    sa.Column("evaluation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.Float, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("val_dsc", sa.Float, nullable=False),
    sa.Column("test_dsc", sa.Float),  # recorded surfaces only; no decision reads it
    sa.Column("train_seconds", sa.Float, nullable=False),
    sa.Column("val_seconds", sa.Float, nullable=False),
    sqlite_with_rowid=False,  # a curve's rows lie together, and are not looked up one by one
)
