"""What a batch costs as the tables grow, as tables for people, Markdown or JSON lines, with the goals.

The number that counts is the mean of CPU seconds over all measured batches, with what is done behind
the record of a batch: a median would leave out the batches that tidy.
"""

import json
from statistics import mean, median

from cases import SYSTEM
from report import QUIET, about, aligned, markdown
from table_state import TABLES

MIB = 2**20
# The goals. How much more a batch may cost in the largest tables than in the smallest ...
GROWTH = 1.5
# ... CPU seconds a batch of 2,000 events in tables of a million orders ...
CPU_AT, CPU_EVENTS, CPU_S = 1_000_000, 2_000, 0.3
# ... how many times cheaper than MERGE in the largest tables ...
CHEAPER = 20
# ... and how much more than in proportion a larger batch may write.
PROPORTION = 1.25
SPREADS = ("wall_s", "cpu_s", "cpu_to_record_s", "read_bytes", "written_bytes")


def show(form, facts, plan, measurements):
    summaries = [summarised(measurement) for measurement in measurements]
    relate(summaries)
    goals = list(held_against(plan, summaries))
    if form == "json":
        for kind, things in (
            ("machine", [facts]), ("measurement", measurements), ("summary", summaries),
            ("goal", goals),
        ):
            for thing in things:
                print(json.dumps({"kind": kind, **thing}, ensure_ascii=False))
        return
    table = markdown if form == "markdown" else aligned
    print(about(facts), end="\n\n")
    print("\n".join(table(list(costs(summaries)), words=3)), end="\n\n")
    print("\n".join(table(list(details(summaries)), words=2)), end="\n\n")
    print("\n".join(table(list(fills(summaries)), words=0)), end="\n\n")
    print("\n".join(notes(facts, plan, summaries)), end="\n\n")
    print("\n".join(
        f"- {'met' if goal['met'] else 'NOT MET'}: {goal['goal']}: {goal['found']}" for goal in goals
    ))


def summarised(measurement):
    """One measurement without its batches, which are summed up."""
    batches = measurement["batches"][measurement["warm_up"]:]
    kept = {name: value for name, value in measurement.items() if name not in ("batches", "warm_up")}
    return kept | {
        "measured": len(batches),
        "first": {what: measurement["batches"][0].get(what) for what in SPREADS},
        **{what: spread([batch.get(what) for batch in batches]) for what in SPREADS},
        "rss_mib": batches[-1]["rss_mib"],
        "peak_mib": max(batch["peak_mib"] for batch in batches),
    }


def spread(values):
    if any(value is None for value in values):
        return None
    return {"median": median(values), "mean": mean(values), "max": max(values)}


def relate(summaries):
    """To the same system in the smallest tables, and to the job in the same tables."""
    for summary in summaries:
        smallest = found(summaries, summary["system"], events=summary["events"])
        ours = found(summaries, SYSTEM, summary["orders"], summary["keys"], summary["events"])
        cpu = summary["cpu_s"]["mean"]
        summary["to_smallest"] = cpu / smallest["cpu_s"]["mean"] if smallest else None
        summary["to_ours"] = cpu / ours["cpu_s"]["mean"]


def found(summaries, system, orders=None, keys="recent", events=None):
    """The first that fits; the smallest tables come first."""
    for summary in summaries:
        if (
            summary["system"].startswith(system)
            and orders in (None, summary["orders"])
            and keys == summary["keys"]
            and events in (None, summary["events"])
        ):
            return summary
    return None


def costs(summaries):
    yield [
        "orders", "keys", "system", "events", "batches", "wall s: median, mean, max",
        "CPU s: median, mean, max", "read MiB", "written MiB", "RSS MiB", "peak MiB",
        "× smallest", "× Esteira",
    ]
    for summary in summaries:
        yield [
            f"{summary['orders']:,}", summary["keys"], summary["system"], f"{summary['events']:,}",
            f"{summary['measured']}", three(summary["wall_s"]), three(summary["cpu_s"]),
            f"{summary['read_bytes']['mean'] / MIB:.1f}",
            f"{summary['written_bytes']['mean'] / MIB:.2f}",
            f"{summary['rss_mib']:.0f}", f"{summary['peak_mib']:.0f}",
            ratio(summary["to_smallest"]), ratio(summary["to_ours"]),
        ]


def details(summaries):
    yield [
        "orders", "keys", "events", "start CPU s", "looking CPU %", "first batch CPU s", "wall s",
        "CPU s to the record", "files: orders", *TABLES[1:], "MiB", "commits since checkpoint",
        "checkpoint KiB",
    ]
    for summary in summaries:
        if summary["system"] != SYSTEM:
            continue
        tables = summary["tables"]
        sizes = [tables[name]["bytes"] for name in TABLES]
        yield [
            f"{summary['orders']:,}", summary["keys"], f"{summary['events']:,}",
            f"{summary['start_cpu_s']:.2f}", f"{summary['idle_cpu'] * 100:.2f}",
            f"{summary['first']['cpu_s']:.3f}", f"{summary['first']['wall_s']:.3f}",
            f"{summary['cpu_to_record_s']['mean']:.3f}",
            *(f"{tables[name]['files']}" for name in TABLES),
            "–" if None in sizes else f"{sum(sizes) / MIB:.0f}",
            f"{max(tables[name]['commits_since_checkpoint'] for name in TABLES)}",
            f"{sum(tables[name]['checkpoint_bytes'] for name in TABLES) / 1024:.0f}",
        ]


def fills(summaries):
    yield ["filled with", "wall s", "events/s", "CPU s", "CPU s / 1,000 events", "peak MiB", "batches"]
    seen = {}
    for summary in summaries:
        if "fill" in summary:
            seen.setdefault(summary["orders"], summary["fill"])
    for orders, fill in seen.items():
        yield [
            f"{orders:,}", f"{fill['wall_s']:.1f}", f"{orders / fill['wall_s']:,.0f}",
            f"{fill['cpu_s']:.1f}", f"{fill['cpu_s'] * 1000 / orders:.4f}",
            f"{fill['peak_mib']:.0f}", f"{fill['batches']}",
        ]


def notes(facts, plan, summaries):
    """What a reader should know before trusting the numbers."""
    ours = summaries[0]
    yield (
        f"- a batch: one object; {ours['events']:,} events are {ours['batch_bytes'] / MIB:.2f} MiB, "
        "nine of ten later states, one of ten a new order"
    )
    yield (
        "- CPU, bytes: of the process alone, from the object's appearance until its tables are tidied "
        "and the process is quiet; wall: until the batch's record, with up to 50 ms until the job "
        "looks. What looking takes is subtracted from CPU"
    )
    if plan.systems():
        yield (
            "- the other systems get the batch read, checked and its winners chosen; only merging into "
            "the four tables counts. They keep no originals and no ledger"
        )
    same = [
        f"{summary['orders']:,} {summary['keys']}" for summary in summaries if summary.get("equal")
    ]
    if same:
        yield f"- Esteira and MERGE ended with equal tables: {', '.join(same)}"
    disturbed = [
        f"{summary['orders']:,} {summary['keys']} {summary['system'].split()[0]} "
        f"{summary['others_cpu_s'] / summary['elapsed_s'] / facts['cpus']:.0%}"
        for summary in summaries
        if summary["others_cpu_s"] > QUIET * summary["elapsed_s"] * facts["cpus"]
    ]
    if disturbed:
        yield f"- not quiet: how much of the machine others took: {', '.join(disturbed)}"


def held_against(plan, summaries):
    """The goals, each met or not."""
    smallest, largest = (found(summaries, SYSTEM, orders, events=plan.events)
                         for orders in (plan.sizes[0], plan.sizes[-1]))
    if len(plan.sizes) > 1:
        yield at_most(
            f"CPU at {plan.sizes[-1]:,} orders ≤ {GROWTH} × that at {plan.sizes[0]:,}",
            largest["cpu_s"]["mean"] / smallest["cpu_s"]["mean"], GROWTH, "{:.2f} ×",
        )
        yield at_most(
            f"written at {plan.sizes[-1]:,} orders ≤ {GROWTH} × that at {plan.sizes[0]:,}",
            largest["written_bytes"]["mean"] / smallest["written_bytes"]["mean"], GROWTH, "{:.2f} ×",
        )
    million = found(summaries, SYSTEM, CPU_AT, events=CPU_EVENTS)
    if million:
        yield at_most(
            f"≤ {CPU_S} CPU s a batch at {CPU_AT:,} orders", million["cpu_s"]["mean"], CPU_S, "{:.3f} s"
        )
    merge = found(summaries, "deltalake", plan.sizes[-1])
    if merge:
        times = merge["to_ours"]
        yield {
            "goal": f"≥ {CHEAPER} times cheaper than MERGE at {plan.sizes[-1]:,} orders",
            "met": times >= CHEAPER, "found": f"{times:.1f} times",
        }
    small, large = (
        [summary for summary in summaries if summary["system"] == SYSTEM
         and summary["keys"] == "recent" and (summary["events"] != plan.events) == larger]
        for larger in (False, True)
    )
    for summary in large:
        base = found(small, SYSTEM, summary["orders"])
        factor = summary["events"] / base["events"]
        yield at_most(
            f"{factor:.0f} times the events write ≤ {factor * PROPORTION:.1f} times the bytes",
            summary["written_bytes"]["mean"] / base["written_bytes"]["mean"],
            factor * PROPORTION, "{:.2f} times",
        )


def at_most(goal, value, limit, form):
    return {"goal": goal, "met": value <= limit, "found": form.format(value)}


def three(values):
    return " / ".join(f"{values[which]:.3f}" for which in ("median", "mean", "max"))


def ratio(value):
    return "–" if value is None else f"{value:.2f}"
