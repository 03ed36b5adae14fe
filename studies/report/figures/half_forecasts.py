"""Data curves forecast from half of the cases, against what was measured (the paper's Fig 5, 7 and S13 to S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go
from plotly.subplots import make_subplots

from studies.report.components import Column, Figure, Row, Table
from studies.report.figures.theme import NEUTRAL, drawn, faded, hue
from studies.results.known_facts import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studies.results.half_forecasts import HalfForecast
    from studies.results.known_facts import KnownFacts

COLUMNS, ROW_HEIGHT = 2, 260
LEAST_WIDTH = 540  # in which two panels and one line of legend have room
LINEAR = "#808890"


def forecast_figure(
    forecasts: Sequence[HalfForecast], depths: Sequence[int], known: KnownFacts = EVERYTHING
) -> Figure | None:
    """A panel a depth, in the colour that the depth has among all depths of the study."""
    if not forecasts:
        return None
    columns = min(COLUMNS, len(forecasts))
    rows = -(-len(forecasts) // columns)
    grid = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[f"depth {half.depth}" for half in forecasts],
        shared_yaxes="all",
        vertical_spacing=0.32 / rows,
        horizontal_spacing=0.06,
    )
    for place, half in enumerate(forecasts):
        for trace in _traces(half, hue(half.depth, depths), first=place == 0):
            grid.add_trace(trace, row=place // columns + 1, col=place % columns + 1)
    height = 80 + ROW_HEIGHT * rows
    _lay_out(grid, rows, height, known.test)
    return Figure(
        "forecasts",
        f"Filled markers: measured {known.test}; those of up to half of the cases are all that the forecasts see. Open "
        "diamonds with their 90 % interval for one new run: the LSTM's forecast, beside the seen halves of the other "
        "depths. Grey crosses on a dotted line: linear regression on the seen sizes.",
        grid,
        height,
        min_width=LEAST_WIDTH if columns > 1 else 0,
    )


def _lay_out(grid: Any, rows: int, height: int, y_title: str) -> None:
    """The page's layout, the legend above the panels, and titles at the outer axes alone."""
    figure = drawn([], x_title="", y_title="", height=height)
    layout = {key: figure.layout[key] for key in ("template", "paper_bgcolor", "plot_bgcolor", "font", "modebar")}
    grid.update_layout(
        **layout,
        autosize=True,
        dragmode=False,
        height=height,
        margin={"l": 8, "r": 12, "t": 64, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 0.99, "yanchor": "top", "yref": "container", "font": {"size": 12}},
        showlegend=True,
    )
    grid.update_xaxes(rangemode="tozero", automargin=True, zeroline=False)
    grid.update_xaxes(title={"text": "training cases", "standoff": 6}, row=rows)
    grid.update_yaxes(automargin=True, zeroline=False)
    grid.update_yaxes(title={"text": y_title, "standoff": 6}, col=1)


def _traces(half: HalfForecast, colour: str, *, first: bool) -> Iterator[Any]:
    later, faint = half.num_cases[half.seen :].tolist(), faded(colour)
    bars = {
        "type": "data",
        "symmetric": False,
        "array": (half.forecast.upper - half.forecast.mean).tolist(),
        "arrayminus": (half.forecast.mean - half.forecast.lower).tolist(),
        "color": faint,
        "width": 3,
        "thickness": 1.2,
    }
    looks: tuple[tuple[str, Any, Any, dict[str, Any]], ...] = (
        ("linear regression", later, half.linear, _look(LINEAR, "x-thin-open", "dot")),
        ("LSTM forecast", later, half.forecast.mean, _look(faint, "diamond-open", "dash") | {"error_y": bars}),
        ("measured", half.num_cases, half.measured, _look(colour, "circle", None)),
    )
    for name, x, y, look in looks:
        yield go.Scatter(
            name=name,
            legendgroup=name,
            showlegend=first,
            x=list(map(float, x)),
            y=list(map(float, y)),
            hovertemplate=f"{name}, %{{x:.0f}} cases: %{{y:.3f}}<extra></extra>",
            **look,
        )


def _look(colour: str, mark: str, dash: str | None) -> dict[str, Any]:
    marker = {"color": colour, "symbol": mark, "size": 8, "line": {"width": 1.5}}
    if dash is None:
        return {"mode": "markers", "marker": marker | {"line": {"width": 0, "color": NEUTRAL}}}
    return {"mode": "lines+markers", "marker": marker, "line": {"color": colour, "width": 1.5, "dash": dash}}


def error_table(forecasts: Sequence[HalfForecast]) -> Table:
    """Mean absolute errors beyond half of the cases."""
    columns = (
        Column("depth"),
        Column("sizes seen"),
        Column("sizes forecast"),
        Column("LSTM, mean absolute error"),
        Column("linear regression, mean absolute error"),
    )
    rows = tuple(
        Row(
            (
                str(half.depth),
                str(half.seen),
                str(len(half.linear)),
                f"{half.errors.mean():.4f}",
                f"{half.linear_errors.mean():.4f}",
            )
        )
        for half in forecasts
    )
    return Table("Errors of forecasts from half of the cases", columns, rows)
