"""`dicecurve report`: the answer in the terminal, as a page and as files."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, study_command
from studies.commands.opened import find_study, open_ledger, without_collecting

if TYPE_CHECKING:
    import argparse

    from studies.results.findings import Findings

COLUMNS = 80
WHOLE_CURVES = 300  # cells of a large study whose training curves are read, those that were stopped aside


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(commands, "report", _run, "the answer, and report.html")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print every number as JSON, and write nothing")
    what.add_argument("--methods", action="store_true", help="print a paragraph for a paper, and write nothing")
    command.add_argument("-o", "--output", metavar="FILE", help="where to write (default: report.html by the database)")
    command.add_argument("--target-dsc", metavar="DSC", type=float, help="DSC that is needed")
    command.add_argument(
        "--assurance", metavar="P", type=float, help="how sure it must be reached (default: 0.9; without a target 0.5)"
    )
    command.add_argument(
        "--test-half-width",
        metavar="DSC",
        type=float,
        help="how many test cases make the DSC as sure as +/- this",
    )
    command.add_argument(
        "--new-test-cases", metavar="T", type=int, help="what one new run would score on T other test cases"
    )
    command.add_argument("--worth", metavar="AMOUNT", type=float, help="what 0.01 DSC is worth, for the best buy")
    command.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="ask with another value, such as prices.case=12 or tolerance=0.02; nothing is trained for it",
    )
    command.add_argument(
        "--paper-tables", action="store_true", help="fit the paper's LSTMs for its Tables 2 and 3: minutes"
    )
    command.add_argument(
        "--format", metavar="LIST", default="", help="also write tables and figures: csv, json, png, pdf, with commas"
    )


def _run(options: argparse.Namespace) -> int:
    from storage.ledger.cell_records import summed_records
    from storage.ledger.count_rows import study_counts
    from studies.report.exports import formats_of
    from studies.report.write import write_report
    from studies.results.criteria import OPTIONS, with_criteria
    from studies.results.findings import findings_of

    formats = formats_of(options.format)
    with without_collecting(), open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        asked = {name: getattr(options, name) for name in OPTIONS}
        criteria = with_criteria(study, options.overrides, **asked)
        records = summed_records(ledger, study.study_id, WHOLE_CURVES)
        counts = study_counts(ledger, study.study_id)
        if options.json or options.methods:
            _print(findings_of(study, records, 0.0, criteria, counts), as_json=options.json)
            return OK
        written = write_report(
            ledger,
            study,
            records,
            options.output,
            criteria=criteria,
            counts=counts,
            formats=formats,
            paper_tables=options.paper_tables,
        )
    print(written.text, end="")
    return OK


def _print(findings: Findings, *, as_json: bool) -> None:
    """What --json or --methods asks for."""
    from studies.report.text.methods import methods_paragraph

    if as_json:
        print(json.dumps(findings.answer.to_dict(), indent=2))
    else:
        print(textwrap.fill(methods_paragraph(findings), COLUMNS))
