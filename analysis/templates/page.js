"use strict";
// Sorting and filtering of tables that read well without it.
(() => {
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
  };

  // What a cell says, as a number where its column is one: "1.23 ms [1.20, 1.27]" is 0.00123.
  const UNITS = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
  const NUMBER = /^([+-]?[\d,]*\.?\d+)(?: (ns|us|ms|s|B|kB|MB|GB)\b)?/;
  const key = (cell, numeric) => {
    const text = cell.textContent.trim();
    if (cell.dataset.sort !== undefined) return cell.dataset.sort === "" ? "" : Number(cell.dataset.sort);
    if (!numeric) return text;
    const found = NUMBER.exec(text);
    return found ? Number(found[1].replaceAll(",", "")) * (UNITS[found[2]] ?? 1) : "";
  };

  const sort = (table, column, heading) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = heading.classList.contains("n");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row.cells[column], numeric), row]);
    rows.sort(([a], [b]) => (a === "" || b === "" || !down ? 1 : -1) * compare(a, b));
    body.append(...rows.map(([, row]) => row));
  };

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, column, heading));
      heading.append(button);
    });
  }

  for (const form of document.querySelectorAll("form.filters")) {
    const section = form.closest("section");
    const tables = [...section.querySelectorAll("table[data-filtered]")];
    const count = section.querySelector(".count");
    // What a row has for a filter: what stands in its column, or what the whole table has.
    const choice = (row, name, where) => {
      const text = typeof where === "number" ? row.cells[where].firstChild.textContent : where;
      return name === "verdict" ? text.split(",")[0] : text;
    };
    const apply = () => {
      const wanted = [...new FormData(form)].filter(([, value]) => value !== "");
      let shown = 0, all = 0;
      for (const table of tables) {
        const columns = JSON.parse(table.dataset.filtered);
        let here = 0;
        for (const row of table.tBodies[0].rows) {
          row.hidden = wanted.some(([name, value]) => choice(row, name, columns[name]) !== value);
          here += !row.hidden;
          all += 1;
        }
        table.closest(".part").hidden = here === 0;
        shown += here;
      }
      count.textContent = `${shown} of ${all} comparisons shown`;
    };
    form.addEventListener("change", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    apply();
  }

  // A link into what is folded unfolds it.
  const reveal = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let folded = row?.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    if (row) setTimeout(() => row.scrollIntoView());
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
