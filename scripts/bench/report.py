"""Runs as a table for people, as Markdown, or as JSON lines."""

import json
from statistics import median

from cases import SYSTEM

# What is reported of a case, each as median, least and greatest of its runs.
FIGURES = (
    "wall_s", "objects_per_s", "events_per_s", "cpu_s", "cpu_s_per_1000_events", "peak_mib",
    "freshness_p50_s", "freshness_p99_s", "bytes", "batches", "simulator_cpu_s", "others_cpu_s",
)
# Heading, figure, whether least and greatest are shown, how a number is written.
COLUMNS = (
    ("wall s", "wall_s", True, "{:.2f}"),
    ("objects/s", "objects_per_s", False, "{:,.0f}"),
    ("events/s", "events_per_s", False, "{:,.0f}"),
    ("CPU s", "cpu_s", True, "{:.2f}"),
    ("CPU s / 1,000 events", "cpu_s_per_1000_events", False, "{:.4f}"),
    ("peak MiB", "peak_mib", True, "{:.0f}"),
    ("freshness p50 s", "freshness_p50_s", False, "{:.2f}"),
    ("p99 s", "freshness_p99_s", False, "{:.2f}"),
    ("read MiB", "bytes", False, "{:,.1f}"),
    ("batches", "batches", False, "{:.0f}"),
)
# Of the machine's CPU time during a run, how much may be somebody else's before it is worth a word.
QUIET = 0.05


def show(form, facts, runs, against=None):
    for run in runs:
        run |= {
            "objects_per_s": run["objects"] / run["wall_s"],
            "events_per_s": run["events"] / run["wall_s"],
            "cpu_s_per_1000_events": run["cpu_s"] * 1000 / run["events"],
        }
    summaries = summarised(runs)
    if form == "json":
        for kind, things in (("machine", [facts]), ("run", runs), ("case", summaries)):
            for thing in things:
                print(json.dumps({"kind": kind, **thing}, ensure_ascii=False))
        return
    print(about(facts), end="\n\n")
    rows = [[heading for heading in ("case", "system", *(column[0] for column in COLUMNS))]]
    rows += [cells(summary) for summary in summaries]
    print("\n".join(markdown(rows) if form == "markdown" else aligned(rows)), end="\n\n")
    print("\n".join(notes(facts, summaries)))
    if against:
        print("\n".join(ratios(runs, against)))


def summarised(runs):
    """One entry per case and system, the cases in order, in each the job first."""
    groups = {}
    for run in sorted(runs, key=lambda run: run["case"]):
        groups.setdefault((run["case"], run["system"]), []).append(run)
    return [
        {
            "case": case, "system": system, "title": group[0]["title"], "runs": len(group),
            "objects": group[0]["objects"], "events": group[0]["events"],
            "tables": group[0].get("tables"),
            **{figure: spread([run.get(figure) for run in group]) for figure in FIGURES},
        }
        for (case, system), group in groups.items()
    ]


def spread(values):
    if any(value is None for value in values):
        return None
    return {"median": median(values), "min": min(values), "max": max(values)}


def cells(summary):
    row = [summary["case"], summary["system"]]
    for _, figure, with_range, form in COLUMNS:
        value = summary[figure]
        if value is None:
            row.append("–")
            continue
        scale = 2**20 if figure == "bytes" else 1
        median, least, most = (
            form.format(value[which] / scale) for which in ("median", "min", "max")
        )
        shown = with_range and summary["runs"] > 1
        row.append(f"{median} ({least}–{most})" if shown else median)
    return row


def about(facts):
    version = facts["esteira"]
    if facts["revision"]:
        version += f" ({facts['revision']})"
    size = f", {facts['quick_means']}" if facts["quick"] else ""
    return (
        f"{facts['date']} · esteira {version}{size} · {facts['cpus']} CPUs, {facts['cpu']} · "
        f"{facts['memory_gib']} GiB · {facts['kernel']}"
    )


def notes(facts, summaries):
    """What the cases are, and what a reader should know before trusting the numbers."""
    seen = set()
    for summary in summaries:
        if summary["case"] not in seen:
            seen.add(summary["case"])
            yield (
                f"- {summary['case']}: {summary['title']}; {summary['objects']:,} objects, "
                f"{summary['events']:,} events"
            )
    runs = summaries[0]["runs"]
    yield (
        f"- median (least–greatest) of {runs} runs" if runs > 1 else "- one run each"
    )
    disturbed = [
        f"{summary['case']} {summary['system']} {summary['others_cpu_s']['max']:.1f}"
        for summary in summaries
        if summary["others_cpu_s"]
        and summary["others_cpu_s"]["max"] > QUIET * facts["cpus"] * summary["wall_s"]["max"]
    ]
    if disturbed:
        yield f"- not quiet: CPU s that others took during a run: {', '.join(disturbed)}"


def ratios(runs, against):
    """Of each case the job's CPU time in terms of the other's, round by round: what disturbs one disturbs both."""
    for case in sorted({run["case"] for run in runs}):
        ours, theirs = (
            {run["round"]: run["cpu_s"] for run in runs if (run["case"], run["system"]) == (case, system)}
            for system in (SYSTEM, against)
        )
        each = sorted(ours[number] / theirs[number] for number in ours)
        yield (
            f"- {case}: CPU {median(each):.2f} × {against} "
            f"(rounds {each[0]:.2f} to {each[-1]:.2f})"
        )


def markdown(rows, words=2):
    """Rows, the first of them headings; the first columns are words, the others numbers."""
    line = "| {} |".format
    yield line(" | ".join(rows[0]))
    yield line(" | ".join(["---"] * words + ["---:"] * (len(rows[0]) - words)))
    for row in rows[1:]:
        yield line(" | ".join(row))


def aligned(rows, words=2):
    """The same for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [
            cell.ljust(width) if at < words else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(padded).rstrip()
