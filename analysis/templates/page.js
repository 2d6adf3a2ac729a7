"use strict";
// Sorting and filtering of tables that read well without it.
(() => {
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    if (a === "" || b === "") return (a === "") - (b === "");
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };

  const sort = (table, column, heading) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
    const rows = [...body.rows].map((row) => [key(row), row]);
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
    const rows = [...section.querySelectorAll("table[data-filtered] tbody tr")];
    const count = section.querySelector(".count");
    const apply = () => {
      const wanted = [...new FormData(form)].filter(([, value]) => value !== "");
      let shown = 0;
      for (const row of rows) {
        row.hidden = wanted.some(([name, value]) => row.dataset[name] !== value);
        shown += !row.hidden;
      }
      for (const table of section.querySelectorAll("table[data-filtered]")) {
        const empty = ![...table.tBodies[0].rows].some((row) => !row.hidden);
        table.closest(".part").hidden = empty;
      }
      count.textContent = `${shown} of ${rows.length} comparisons shown`;
    };
    form.addEventListener("change", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    apply();
  }

  // A link to a row that a filter hides shows all rows again.
  const reveal = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (row?.hidden) { row.closest("section").querySelector("form.filters").reset(); setTimeout(() => row.scrollIntoView()); }
    const details = row?.closest("details");
    if (details) details.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
