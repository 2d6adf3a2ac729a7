"use strict";
// Sorting and filtering of tables that read well without it.
(() => {
  const tables = [...document.querySelectorAll("main table")];
  const headings = (table) => [...table.tHead.rows[0].cells];
  const textOf = (row, place) => row.cells[place].firstChild?.textContent.trim() ?? "";
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);

  // What a cell says, as a number where its column is one: "1.23 ms [1.20, 1.27]" is 0.00123.
  const UNITS = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
  const NUMBER = /^([+-]?[\d,]*\.?\d+)(?: (ns|us|ms|s|B|kB|MB|GB|times)\b)?/;
  const key = (row, place, numeric) => {
    const text = row.cells[place].textContent.trim();
    if (!numeric) return text;
    const found = NUMBER.exec(text);
    if (!found) return "";
    const number = Number(found[1].replaceAll(",", ""));
    return found[2] === "times" ? 100 * (number - 1) : number * (UNITS[found[2]] ?? 1);
  };

  const sort = (table, place, heading) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of headings(table)) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = heading.classList.contains("n");
    const rows = [...table.tBodies[0].rows].map((row) => [key(row, place, numeric), row]);
    // What is missing comes last, whichever way.
    rows.sort(([a], [b]) => (a === "") - (b === "") || (down ? -1 : 1) * compare(a, b));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };

  for (const table of tables) {
    headings(table).forEach((heading, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, place, heading));
      heading.append(button);
    });
  }

  // One form for all tables: a table without a column is not filtered by it. A Python is a value of
  // a column, or a column of its own.
  const form = document.querySelector("form.filters");
  const choices = new Map();
  for (const table of tables) {
    headings(table).forEach((heading, place) => {
      if (!("choice" in heading.dataset)) return;
      const name = heading.textContent;
      if (!choices.has(name)) choices.set(name, { values: new Set(), columns: [] });
      choices.get(name).columns.push([table, place]);
      for (const row of table.tBodies[0].rows) choices.get(name).values.add(textOf(row, place));
    });
  }
  const ofPython = tables.map((table) => headings(table)
    .map((heading, place) => [heading.dataset.python, place]).filter(([python]) => python));
  for (const [python] of ofPython.flat()) {
    if (!choices.has("Python")) choices.set("Python", { values: new Set(), columns: [] });
    choices.get("Python").values.add(python);
  }
  const apply = () => {
    const python = new FormData(form).get("Python") ?? "";
    tables.forEach((table, index) => {
      for (const [own, place] of ofPython[index]) {
        for (const row of table.rows) row.cells[place].hidden = python !== "" && own !== python;
      }
    });
    const wanted = [...new FormData(form)].filter(([, value]) => value !== "");
    let shown = 0, all = 0;
    for (const table of tables) {
      const asked = wanted.flatMap(([name, value]) =>
        choices.get(name).columns.filter(([of]) => of === table).map(([, place]) => [place, value]));
      for (const row of table.tBodies[0].rows) {
        row.hidden = asked.some(([place, value]) => textOf(row, place) !== value);
        shown += !row.hidden;
        all += 1;
      }
    }
    form.querySelector("[role=status]").textContent =
      wanted.length ? `${shown} of ${all} rows shown` : "";
  };
  for (const [name, { values }] of choices) {
    if (values.size < 2) continue;
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.name = name;
    select.append(new Option("any", ""));
    const options = [...values];
    const size = (text) => Number(text.replaceAll(",", "")) || Infinity; // "all" comes last
    if (name === "n") options.sort((one, other) => size(one) - size(other));
    if (name === "Python") options.sort(compare);
    select.append(...options.map((value) => new Option(value, value)));
    label.append(name, select);
    form.querySelector("button").before(label);
    form.hidden = false;
  }
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());

  // A link into what is folded unfolds it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let folded = target?.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    if (target) setTimeout(() => target.scrollIntoView());
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
