"""What was seen, to read and as JSON."""

import json
import statistics
from dataclasses import asdict, dataclass
from typing import Optional


def median(figures):
    """The middle of the figures."""
    return statistics.median(figures)


def median_ratio(figures, others):
    """The middle of the ratios within each round."""
    return median([a / b for a, b in zip(figures, others)])


@dataclass
class Row:
    """One line. The bound is on the ratio where there is one, else on steve's figure."""

    name: str
    unit: str
    steve: float
    floor: Optional[float] = None
    fifo: Optional[float] = None
    ratio: Optional[float] = None
    to: str = ""  # what the ratio is to
    most: Optional[float] = None
    least: Optional[float] = None

    def held(self):
        """Whether the bound, if there is one, was kept."""
        figure = self.steve if self.ratio is None else self.ratio
        return (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)

    def bound(self):
        """The bound in words."""
        if self.most is not None:
            return f"<= {self.most:g}"
        return f">= {self.least:g}" if self.least is not None else ""

    def line(self):
        """The row as text."""
        number = lambda figure: "" if figure is None else f"{figure:.2f}" if figure < 100 else f"{figure:.0f}"
        cells = (f"{number(figure):>9}" for figure in (self.steve, self.floor, self.fifo))
        missed = "" if self.held() else "  MISSED"
        ratio = f"{number(self.ratio):>7} {self.to:<10}"
        return f"{self.name:<38}{self.unit:<9}{''.join(cells)}{ratio} {self.bound():<8}{missed}".rstrip()


HEAD = f"{'':<38}{'':<9}{'steve':>9}{'floor':>9}{'FIFO':>9}{'ratio':>7} {'to':<10} {'bound':<8}".rstrip()


def text(title, rows):
    """A table with a title."""
    return "\n".join([title, HEAD, *(row.line() for row in rows), ""])


def dump(tables):
    """Tables, as {title: rows}, to JSON."""
    return json.dumps(
        {title: [asdict(row) | {"held": row.held()} for row in rows] for title, rows in tables.items()}, indent=1
    )


def load(dumped):
    """The reverse of dump."""
    tables = json.loads(dumped)
    for rows in tables.values():
        for row in rows:
            row.pop("held")
    return {title: [Row(**row) for row in rows] for title, rows in tables.items()}
