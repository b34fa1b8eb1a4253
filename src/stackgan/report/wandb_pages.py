"""A comparison as pages of Weights & Biases: a workspace with panels over its runs, and a report with its tables. Sends nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from stackgan.callbacks.wandb_tracker import ID_FILE
from stackgan.report.comparison import Comparison, Section
from stackgan.report.gallery import SPLITS
from stackgan.report.record import Record, columns_of
from stackgan.report.variants import Variant, telling

X_AXIS = "images_seen"
MOST_RUNS = 100
"""Lines in a panel, at most."""

BANDS = "A line is the mean of a variant's runs, its band reaches from their lowest to their highest."
TITLE = 128
"""Letters of a report's title, at most."""


@dataclass(frozen=True)
class Keys:
    """What the runs logged, by the section that it is shown in. scores, losses: scalars. images: lists of captioned pictures."""

    scores: Sequence[str]
    losses: Sequence[str]
    images: Sequence[str]


def own_id(record: Record) -> str | None:
    """W&B's id of a run, None where it was not tracked there."""
    path = record.folder.path / ID_FILE if record.folder is not None else None
    return path.read_text(encoding="utf-8").strip() if path is not None and path.exists() else None


def ids(variants: Sequence[Variant]) -> list[str]:
    """W&B's ids of the runs that were tracked there."""
    return [own for variant in variants for record in variant.records if (own := own_id(record))]


def logged(variants: Sequence[Variant], scores: Sequence[str], losses: Sequence[str]) -> Keys:
    """The keys of tracked runs. scores, losses: patterns of metrics.csv's columns; what a judge saw counts as a score anyhow."""
    folders = [record.folder for variant in variants for record in variant.records if record.folder is not None and own_id(record)]
    columns = sorted({name for folder in folders for name in columns_of(folder.metrics)})
    judged = {name for name in columns if f"{name}/n" in columns}
    drawn = [split for split in SPLITS if any(any(folder.sheets.glob(f"*-{split}.png")) for folder in folders)]
    return Keys(
        scores=[name for name in columns if name in judged or _matches(name, scores)],
        losses=[name for name in columns if _matches(name, losses)],
        images=[f"drawn/{split}" for split in drawn],
    )


def workspace(found: Comparison, keys: Keys, entity: str, project: str) -> Any:
    """A `wandb_workspaces` Workspace of all runs, grouped by the settings that tell the variants apart."""
    from wandb_workspaces import expr
    from wandb_workspaces import workspaces as ws

    # The budget stands among the stage's settings there; what the run below was is not there.
    named = (key.replace("budget.", "stage.") for key in telling(found.variants))
    grouped = [expr.Config(key) for key in named if key.startswith(("stage.", "text.", "data."))]
    sections = [
        ws.Section(name=name, panels=panels, is_open=True, panel_settings=ws.SectionPanelSettings(x_axis=X_AXIS))
        for name, panels in (
            ("scores by images seen", _lines(keys.scores)),
            ("losses", _lines(keys.losses)),
            ("images", _pictures(keys.images)),
        )
        if panels
    ]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=found.title[:TITLE],
        sections=sections,
        settings=ws.WorkspaceSettings(x_axis=X_AXIS, max_runs=MOST_RUNS),
        runset_settings=ws.RunsetSettings(
            filters=expr.And(expr.Metric("ID").isin(ids(found.variants))),
            groupby=grouped or [expr.Metric("Group")],
            pinned_columns=[f"summary:{name}" for name in keys.scores],
        ),
    )


def report(found: Comparison, keys: Keys, entity: str, project: str) -> Any:
    """A `wandb_workspaces` Report: each data set's tables, then charts of its runs, a run set for each variant."""
    from wandb_workspaces.reports import v2 as wr

    blocks: list[Any] = [wr.P(text=f"Left out: {line}") for line in found.left_out]
    for section in found.sections:
        blocks += [wr.H1(text=section.data), *_tables(section)]
        mine = [variant for variant in found.variants if variant.data == section.data and ids([variant])]
        if mine:
            blocks += [wr.P(text=BANDS), *_grids(mine, keys)]
    blocks += [wr.H1(text="cost"), *(wr.MarkdownBlock(text=table.markdown()) for table in found.closing)]
    return wr.Report(entity=entity, project=project, title=found.title[:TITLE], blocks=blocks, width="fluid")


def _tables(section: Section) -> Iterator[Any]:
    from wandb_workspaces.reports import v2 as wr

    for table in section.tables:
        yield wr.MarkdownBlock(text=table.markdown())


def _grids(variants: Sequence[Variant], keys: Keys) -> Iterator[Any]:
    """Curves and bars with a line a variant, then pictures with a row a run."""
    from wandb_workspaces.reports import v2 as wr

    # All runs of a variant have the same stage: grouped by it they become one line.
    together = [_runset(variant, ["run.jobType"]) for variant in variants]
    bars = [wr.BarPlot(title=name, metrics=[wr.SummaryMetric(name)]) for name in keys.scores]
    if keys.scores or keys.losses:
        yield wr.PanelGrid(runsets=together, panels=[*_lines(keys.scores), *bars, *_lines(keys.losses)])
    if keys.images:
        yield wr.PanelGrid(runsets=[_runset(variant, []) for variant in variants], panels=_pictures(keys.images))


def _runset(variant: Variant, groupby: list[str]) -> Any:
    """Of the report's own project, which is what a run set without one means."""
    from wandb_workspaces import expr
    from wandb_workspaces.reports import v2 as wr

    return wr.Runset(name=variant.label, filters=expr.And(expr.Metric("ID").isin(ids([variant]))), groupby=groupby)


def _lines(names: Sequence[str]) -> list[Any]:
    """A panel a figure: the mean of grouped runs, and a band from their lowest to their highest."""
    from wandb_workspaces.reports import v2 as wr

    return [
        wr.LinePlot(title=name, x=X_AXIS, y=[name], groupby_aggfunc="mean", groupby_rangefunc="minmax", max_runs_to_show=MOST_RUNS)
        for name in names
    ]


def _pictures(names: Sequence[str]) -> list[Any]:
    """A grid a split: runs below each other, steps side by side."""
    from wandb_workspaces.reports import v2 as wr

    return [wr.MediaBrowser(title=name, media_keys=[name], mode="grid", grid_x_axis="step", grid_y_axis="run") for name in names]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
