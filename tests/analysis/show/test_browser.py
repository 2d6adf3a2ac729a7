"""The report in a real browser: Chromium, headless, without a network.

Without Chromium these are skipped, except where CI=true: there its absence is a failure.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from analysis.judge.findings import Findings, find
from analysis.read.load import read_campaign
from analysis.show import page, report, theme
from analysis.show.charts import registry
from benchmarks.cases import Case
from tests import campaigns

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",  # containers have no user namespaces; the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = (1280, 800), (390, 844)
Scheme = Literal["light", "dark"]
HEADLINE = f"#chart-{page.HEADLINE} svg"
SINGLE = "section[aria-labelledby=probe-throughput] details table"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    absent = [
        name
        for name, found in (
            ("Chromium (apt-get install chromium)", program),
            ("the package playwright", find_spec("playwright")),
            ("the package axe-playwright-python", find_spec("axe_playwright_python")),
        )
        if not found
    ]
    if absent:
        reason = f"the report cannot be tested in a browser without {', '.join(absent)}"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """A page, and everything it asked for and complained about."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.address = path.as_uri()
        page.goto(self.address)


@contextmanager
def visiting(
    browser: Browser,
    path: Path,
    size: tuple[int, int] = DESKTOP,
    scheme: Scheme = "light",
    *,
    scripts: bool = True,
) -> Iterator[Visit]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        java_script_enabled=scripts,
        offline=True,
    )
    yield Visit(context.new_page(), path)
    context.close()


@pytest.fixture(scope="module")
def published(findings: Findings) -> Iterator[Path]:
    """The page of a small campaign, with one chart: all of them would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "draw_all", lambda findings: [drawn(findings, page.HEADLINE)])
        yield report.publish(findings)


def drawn(findings: Findings, name: str) -> registry.Picture:
    importlib.import_module("analysis.show.charts.ratios")  # which registers it
    chart = registry.CHARTS[name]
    with theme.settings():
        drawing = chart.draw(findings)
        assert drawing
        return registry.picture(name, drawing)


@pytest.fixture
def visit(browser: Browser, published: Path) -> Iterator[Visit]:
    with visiting(browser, published) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        yield visit


def column(page: Page, table: str, heading: str) -> list[str]:
    """What stands in a column of the first such table, from top to bottom, where it can be seen."""
    found: list[str] = page.locator(table).first.evaluate(
        """(table, heading) => {
             const place = [...table.tHead.rows[0].cells].findIndex(
               cell => cell.textContent === heading);
             return [...table.tBodies[0].rows].filter(row => row.offsetParent !== null).map(
               row => row.cells[place].textContent.trim());
           }""",
        heading,
    )
    return found


def numbers(texts: list[str]) -> list[float]:
    """What numbers with intervals begin with; "missing" is none."""
    return [float(text.split(" ")[0].replace(",", "")) for text in texts if text != "missing"]


def test_it_shows_itself_without_a_complaint_and_asks_for_nothing(visit: Visit) -> None:
    page = visit.page
    assert page.inner_text("h1") == "When should I use asyncio.create_task?"
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert visit.complaints == []
    assert visit.requests == [visit.address]


def test_the_answer_stands_on_the_first_screen_and_the_chart_is_wide(
    browser: Browser, published: Path
) -> None:
    with visiting(browser, published) as visit:
        sentences = visit.page.locator("p.lead")
        last = sentences.nth(2).bounding_box()
        chart = visit.page.locator(HEADLINE).bounding_box()
    assert last
    assert last["y"] + last["height"] < 400
    assert chart
    assert chart["width"] > 1000
    assert chart["y"] < 500


def test_a_python_that_is_chosen_is_the_only_column(visit: Visit) -> None:
    page = visit.page
    heads = page.locator("section[aria-labelledby=probe-throughput] th[data-python]")
    assert [head.is_visible() for head in heads.all()] == [True, True]
    page.select_option("select[name=Python]", "3.14.0")
    assert [head.is_visible() for head in heads.all()] == [False, True]
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("() => document.querySelector('[role=status]').textContent === ''")
    assert [head.is_visible() for head in heads.all()] == [True, True]


def test_on_a_phone_a_decision_is_a_block(browser: Browser, published: Path) -> None:
    with visiting(browser, published, PHONE) as visit:
        cell = visit.page.locator("table.decision tbody tr td").nth(1).bounding_box()
    assert cell
    assert cell["x"] + cell["width"] <= PHONE[0]


def test_a_click_on_a_heading_sorts_and_another_reverses(visit: Visit) -> None:
    page, name = visit.page, "change [95 %]"
    heading = page.locator(SINGLE).first.locator("th", has_text="change")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    rising = column(page, SINGLE, name)
    assert rising[-1] == "missing"
    assert len(rising) > 10
    assert numbers(rising) == sorted(numbers(rising))
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    falling = column(page, SINGLE, name)
    assert falling[-1] == "missing"
    assert numbers(falling) == sorted(numbers(rising), reverse=True)


def test_amounts_sort_whatever_their_unit(visit: Visit) -> None:
    table = "section[aria-labelledby=probe-memory] details table"
    visit.page.locator(table).first.locator("th", has_text="cost").locator("button").click()
    texts = column(visit.page, table, "cost")
    sizes = {"B": 1.0, "kB": 1e3}
    values = [float(text.split()[0]) * sizes[text.split()[1]] for text in texts]
    assert values == sorted(values)
    visit.page.locator(SINGLE).first.locator("th", has_text="n").first.locator("button").click()
    tasks = numbers(column(visit.page, SINGLE, "n"))
    assert tasks == sorted(tasks)
    assert set(tasks) == {10, 100, 1000}


def test_one_form_filters_all_tables(visit: Visit) -> None:
    page = visit.page
    every = column(page, SINGLE, "loop")
    page.select_option("select[name=loop]", "uvloop")
    page.select_option("select[name=n]", "1,000")
    assert set(column(page, SINGLE, "loop")) == {"uvloop"}
    assert set(column(page, SINGLE, "n")) == {"1,000"}
    assert page.locator("[role=status]").inner_text().endswith(" rows shown")
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("() => document.querySelector('[role=status]').textContent === ''")
    assert column(page, SINGLE, "loop") == every


def test_a_link_into_what_is_folded_unfolds_it(browser: Browser, published: Path) -> None:
    with visiting(browser, published) as visit:
        page = visit.page
        assert not page.locator("#contender-1").is_visible()
        page.evaluate("location.hash = 'contender-1'")
        page.locator("#contender-1").wait_for(state="visible")


def test_it_reads_without_scripts(browser: Browser, published: Path) -> None:
    with visiting(browser, published, scripts=False) as visit:
        assert visit.page.locator("#answer ~ div table tbody tr").first.is_visible()
        assert visit.page.locator(HEADLINE).is_visible()
        assert not visit.page.locator("form.filters").is_visible()
        assert visit.page.locator("th button").count() == 0


def test_a_phone_does_not_scroll_sideways(browser: Browser, published: Path) -> None:
    with visiting(browser, published, PHONE) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        assert visit.page.locator(HEADLINE).is_visible()


def test_dark_is_dark_and_print_is_light(browser: Browser, published: Path) -> None:
    with visiting(browser, published, scheme="dark") as visit:
        page = visit.page
        ground = "getComputedStyle(document.body).backgroundColor"
        chart = f"getComputedStyle(document.querySelector('{HEADLINE} g path')).fill"
        assert page.evaluate(ground) == page.evaluate(chart) == "rgb(21, 25, 30)"
        page.emulate_media(media="print")
        assert page.evaluate(ground) == page.evaluate(chart) == "rgb(255, 255, 255)"
        assert not page.locator("form.filters").is_visible()


def test_the_keyboard_reaches_the_answer_first(browser: Browser, published: Path) -> None:
    with visiting(browser, published) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#main"


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_axe_finds_nothing(
    browser: Browser, published: Path, scheme: Scheme, size: tuple[int, int]
) -> None:
    with visiting(browser, published, size, scheme) as visit:
        script = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
        visit.page.evaluate(script)
        # What is inside a drawing is one picture to a reader of screens, and thousands of elements.
        found: dict[str, Any] = visit.page.evaluate(
            "axe.run({exclude: [['svg > *']]}, {resultTypes: ['violations']})"
        )
    violations = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
    assert violations == []
    assert len(found["passes"]) > 20


EVIL = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">'


def test_a_hostile_campaign_runs_nothing(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "draw_all", lambda findings: [])
    folder = campaigns.write(tmp_path / "c", cases=(Case("throughput", "noop", 100),))
    campaigns.change_plan(folder, lambda plan: plan["machine"].update({"cpu_model": EVIL}))
    published = report.publish(find(read_campaign(folder)))
    with visiting(browser, published) as visit:
        assert visit.page.evaluate("window.hacked") is None
        assert EVIL[:20] in str(visit.page.text_content("main"))
        assert visit.complaints == []
        assert visit.requests == [visit.address]
        visit.page.evaluate(
            """() => {
                 const script = document.createElement("script");
                 script.textContent = "window.hacked = 1";
                 document.body.append(script);
               }"""
        )
        assert visit.page.evaluate("window.hacked") is None
        assert any("Content Security Policy" in complaint for complaint in visit.complaints)
