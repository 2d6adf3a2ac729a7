"""The report in a real browser: Chromium, headless, without a network.

Without Chromium these are skipped, except where CI=true: there its absence is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from analysis.pages import HEADLINE
from analysis.plots import CHARTS
from analysis.report import publish
from tests.synthetic import change_plan, write_campaign

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
    """A page, and everything it said, asked for and complained about."""

    def __init__(
        self,
        browser: Browser,
        path: Path,
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
        *,
        scripts: bool = True,
    ) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            offline=True,
        )
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.address = path.as_uri()
        self.page.goto(self.address)

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture
def report(published: Path) -> Path:
    return published / "report" / "index.html"


@pytest.fixture
def visit(browser: Browser, report: Path) -> Iterator[Visit]:
    visit = Visit(browser, report)
    yield visit
    visit.close()


def rows(page: Page) -> list[dict[str, str]]:
    """What the filters see of all rows of comparisons that can be seen, in the order in which they
    stand.
    """
    found: list[dict[str, str]] = page.evaluate(
        """[...document.querySelectorAll("table[data-filtered]")].flatMap(table => {
             const columns = Object.entries(JSON.parse(table.dataset.filtered));
             return [...table.tBodies[0].rows].filter(row => row.offsetParent !== null).map(
               row => Object.fromEntries(columns.map(([name, where]) => [
                 name,
                 typeof where === "number" ? row.cells[where].firstChild.textContent : where])));
           })"""
    )
    return found


def column(page: Page, heading: str) -> list[str]:
    """What stands in one column of the first table of comparisons, from top to bottom."""
    found: list[str] = page.evaluate(
        """heading => {
             const table = document.querySelector("table[data-filtered]");
             const place = [...table.tHead.rows[0].cells].findIndex(
               cell => cell.textContent === heading);
             return [...table.tBodies[0].rows].map(row => row.cells[place].textContent.trim());
           }""",
        heading,
    )
    return found


def numbers(texts: list[str]) -> list[float]:
    """What numbers with intervals begin with; "missing" is none."""
    return [float(text.split(" ")[0].replace(",", "")) for text in texts if text != "missing"]


def test_it_renders_without_a_complaint_and_asks_for_nothing(visit: Visit) -> None:
    page = visit.page
    assert page.inner_text("h1") == "When should I use asyncio.create_task?"
    assert page.locator("#answer + .answers li").count() == 2
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert visit.complaints == []
    assert visit.requests == [visit.address]


def test_question_and_advice_are_on_the_first_screen_and_chart_and_answer_follow(
    visit: Visit,
) -> None:
    places = [
        visit.page.locator(where).first.bounding_box()
        for where in (".guide li", "#answer", "#chart-ratios-by-tasks .wide svg")
    ]
    advice, answer, chart = (box for box in places if box is not None)
    assert advice["y"] < 300
    assert advice["y"] < answer["y"] < chart["y"]
    assert answer["y"] < DESKTOP[1]
    assert chart["width"] > 1000
    assert visit.page.locator("#chart-ratios-by-tasks .wide svg text").first.is_visible()


def test_a_line_of_the_guide_opens_on_its_cells(visit: Visit) -> None:
    line = visit.page.locator(".guide li").first
    evidence = line.locator("details ul")
    assert not evidence.is_visible()
    line.locator("summary").click()
    assert evidence.is_visible()
    link = evidence.locator("a").first
    link.click()
    assert visit.page.locator(str(link.get_attribute("href"))).is_visible()


def test_a_click_on_a_heading_sorts_and_another_reverses(visit: Visit) -> None:
    page = visit.page
    table = page.locator("table[data-filtered]").first
    heading = table.locator("th", has_text="Change")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    rising = column(page, "Change [95 %]")
    assert rising[-1] == "missing"
    values = numbers(rising)
    assert len(values) > 10
    assert values == sorted(values)
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    falling = column(page, "Change [95 %]")
    assert falling[-1] == "missing"
    assert numbers(falling) == sorted(values, reverse=True)
    table.locator("th", has_text="Event loop").locator("button").click()
    assert column(page, "Event loop") == sorted(column(page, "Event loop"))
    assert heading.get_attribute("aria-sort") is None


def test_numbers_of_tasks_sort_as_numbers(visit: Visit) -> None:
    visit.page.locator("table[data-filtered] th", has_text="Tasks").first.locator("button").click()
    tasks = numbers(column(visit.page, "Tasks"))
    assert tasks == sorted(tasks)
    assert set(tasks) == {10, 1000}


def test_durations_sort_whatever_their_unit(visit: Visit) -> None:
    table = visit.page.locator("table[data-filtered]").nth(1)
    table.locator("th", has_text="Time").locator("button").click()
    texts: list[str] = table.evaluate(
        """table => {
             const place = [...table.tHead.rows[0].cells].findIndex(
               cell => cell.textContent.startsWith("Time"));
             return [...table.tBodies[0].rows].map(row => row.cells[place].textContent);
           }"""
    )
    units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    seconds = [float(text.split()[0]) * units[text.split()[1]] for text in texts]
    assert len({text.split()[1] for text in texts}) > 1
    assert seconds == sorted(seconds)


def test_filters_by_loop_workload_and_tasks(visit: Visit) -> None:
    page = visit.page
    every = rows(page)
    wanted = {"loop": "uvloop", "workload": "echo", "tasks": "1,000"}
    for name, value in wanted.items():
        page.select_option(f"select[name={name}]", value)
    shown = rows(page)
    assert shown
    assert all(wanted.items() <= row.items() for row in shown)
    assert len(shown) == sum(wanted.items() <= row.items() for row in every)
    status = f"{len(shown)} of {len(every)} comparisons shown"
    assert page.locator("[role=status]").inner_text() == status
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function(
        "n => document.querySelector('[role=status]').textContent.startsWith(n + ' of')",
        arg=len(every),
    )
    assert rows(page) == every


def test_a_table_without_a_match_goes_away_with_its_heading(visit: Visit) -> None:
    visit.page.select_option("select[name=verdict]", "missing")
    visible = [part.is_visible() for part in visit.page.locator(".part").all()]
    assert True in visible
    assert False in visible


def test_a_link_into_what_is_folded_unfolds_it(visit: Visit) -> None:
    page = visit.page
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML(
             "beforeend", "<details><details><p id=inside>text</p></details></details>")"""
    )
    inside = page.locator("#inside")
    assert not inside.is_visible()
    page.evaluate("location.hash = 'inside'")
    inside.wait_for(state="visible")


def test_each_row_leads_to_its_case_and_contender(visit: Visit) -> None:
    page = visit.page
    link = page.locator("table[data-filtered] tbody a").first
    link.click()
    target = str(link.get_attribute("href"))
    assert page.evaluate("location.hash") == target
    assert page.locator(target).is_visible()


def test_it_reads_without_scripts(browser: Browser, report: Path) -> None:
    visit = Visit(browser, report, scripts=False)
    page = visit.page
    assert page.locator("table[data-filtered] tbody tr").first.is_visible()
    assert not page.locator("form.filters").is_visible()
    assert page.locator("th button").count() == 0
    assert page.locator("#chart-ratios-by-tasks .wide svg").is_visible()
    visit.close()


def test_a_phone_gets_its_own_charts_and_no_sideways_scrolling(
    browser: Browser, report: Path
) -> None:
    visit = Visit(browser, report, PHONE)
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert page.locator("#chart-ratios-by-tasks .narrow svg").is_visible()
    assert not page.locator("#chart-ratios-by-tasks .wide svg").is_visible()
    size = page.locator("#chart-ratios-by-tasks .narrow svg text").last.evaluate(
        "text => text.getBoundingClientRect().height"
    )
    assert size > 8
    visit.close()


def test_dark_is_dark_and_print_is_light(browser: Browser, report: Path) -> None:
    visit = Visit(browser, report, scheme="dark")
    page = visit.page
    ground = "getComputedStyle(document.body).backgroundColor"
    ground_of_chart = "#chart-ratios-by-tasks .wide svg > g path"
    chart = f"getComputedStyle(document.querySelector('{ground_of_chart}')).fill"
    assert page.evaluate(ground) == page.evaluate(chart) == "rgb(21, 25, 30)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == page.evaluate(chart) == "rgb(255, 255, 255)"
    assert not page.locator("form.filters").is_visible()
    assert page.evaluate(
        "[...document.querySelectorAll('.part .scroll')].every("
        "box => getComputedStyle(box).maxHeight === 'none')"
    )
    visit.close()


def test_the_keyboard_reaches_the_answer_first(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    assert page.locator(".skip").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_axe_finds_nothing_serious(
    browser: Browser, report: Path, scheme: Scheme, size: tuple[int, int]
) -> None:
    visit = Visit(browser, report, size, scheme)
    visit.page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    # What is inside a drawing is one picture to a reader of screens, and thousands of elements.
    found: dict[str, Any] = visit.page.evaluate(
        "axe.run({exclude: [['svg > *']]}, {resultTypes: ['violations']})"
    )
    visit.close()
    serious = [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert len(found["passes"]) > 20


EVIL = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">'


def test_a_hostile_campaign_runs_nothing(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.pictures.CHARTS", {HEADLINE: CHARTS[HEADLINE]})
    folder = write_campaign(
        tmp_path / "c", rounds=6, probes=("throughput",), workloads=(EVIL,), tasks=(10,)
    )
    change_plan(folder, lambda plan: plan["machine"].update({"cpu_model": EVIL, EVIL: EVIL}))
    visit = Visit(browser, publish(folder).page)
    assert visit.page.evaluate("window.hacked") is None
    assert EVIL[:20] in visit.page.inner_text("main")
    assert visit.complaints == []
    assert visit.requests == [visit.address]
    visit.close()


def test_the_policy_stops_a_script_that_got_in(visit: Visit) -> None:
    page = visit.page
    page.evaluate(
        """() => {
             const script = document.createElement("script");
             script.textContent = "window.hacked = 1";
             document.body.append(script);
             document.body.insertAdjacentHTML(
               "beforeend", '<img src="https://example.invalid/x" onerror="window.hacked = 2">');
           }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)
