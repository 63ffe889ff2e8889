"""What the job cases report, as Markdown."""

import statistics


class Table:
    """A line for each engine: seconds, ratio to the best, how many runs, CPU seconds, peak memory, what it wrote."""

    def __init__(self, title, extra=()):
        self.title, self.extra, self.lines, self.absent, self.notes, self.parts = title, extra, [], [], [], []

    def add(self, engine, runs, *extra):
        """An engine's runs, and its cells of the extra columns."""
        medians = [statistics.median(run[what] for run in runs) for what in ("seconds", "cpu", "mb")]
        self.lines.append((engine, len(runs), *medians, extra))

    def markdown(self, mark="##"):
        best = min((seconds for _, _, seconds, *_ in self.lines), default=None)
        least = min((mb for *_, mb, _ in self.lines), default=None)
        head = ["engine", "median s", "to the best", "runs", "CPU s", "peak MB", "to the least", *self.extra]
        text = [f"{mark} {self.title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for engine, runs, seconds, cpu, mb, extra in self.lines:
            cells = [engine, f"{seconds:.2f}", f"{seconds / best:.2f}", str(runs), f"{cpu:.2f}", f"{mb:,.0f}", f"{mb / least:.2f}", *extra]
            text.append("| " + " | ".join(cells) + " |")
        text += [f"| {engine} | {why} |" + " |" * (len(head) - 2) for engine, why in self.absent]
        for note in self.notes:
            text += ["", note]
        for part in self.parts:
            text += ["", part.markdown("###").rstrip()]
        return "\n".join([*text, ""])


class Growth:
    """A line for each engine and size: what a million rows cost, beside what they cost at the smallest size."""

    def __init__(self):
        self.lines, self.absent = [], []

    def add(self, what, engine, sizes):
        """`sizes` are millions of rows and their runs, the smallest first."""
        first = None
        for millions, runs in sizes:
            seconds, cpu, mb = (statistics.median(run[name] for run in runs) for name in ("seconds", "cpu", "mb"))
            first = first or (seconds / millions, cpu / millions)
            self.lines.append([what, engine, f"{millions:g}", f"{seconds:.2f}", f"{seconds / millions:.3f}", f"{seconds / millions / first[0]:.2f}",
                               f"{cpu / millions:.3f}", f"{cpu / millions / first[1]:.2f}", f"{mb:,.0f}", str(len(runs))])

    def markdown(self):
        head = ["job", "engine", "M rows", "median s", "s per M rows", "to the smallest", "CPU s per M rows", "to the smallest", "peak MB", "runs"]
        text = ["## Growth: the same jobs over a tenth, a third and all of the rows", "",
                "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        text += ["| " + " | ".join(line) + " |" for line in self.lines]
        text += [f"| {what} | {engine} | {why} |" + " |" * (len(head) - 3) for what, (engine, why) in self.absent]
        return "\n".join([*text, "", "Flat is a ratio of about 1 or less: what starts and ends a process weighs more on few rows.", ""])
