"use strict";
/* Sorts and searches tables that are folded.  The page is whole without it. */
for (const details of document.querySelectorAll("details.table")) {
  const table = details.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
  const field = document.createElement("input"), label = document.createElement("label");
  const count = document.createElement("span");
  field.type = "search";
  count.setAttribute("role", "status");
  label.className = "search";
  label.append("Search ", count, field);
  details.insertBefore(label, details.children[1]);
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    let found = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      found += !row.hidden;
    }
    count.textContent = wanted ? `(${found.toLocaleString("en")} rows)` : "";
  });
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach(each => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const isNumber = head.classList.contains("n"), sign = down ? -1 : 1;
      const key = row => {
        const text = row.cells[place].textContent.replace(/,/g, "").replace(/^<(?=[0-9.])/, "");
        return isNumber ? parseFloat(text) : text;
      };
      const keyed = rows.map(row => [key(row), row]);
      keyed.sort(([a], [b]) => {
        if (!isNumber) return sign * a.localeCompare(b, undefined, {numeric: true});
        return isNaN(a) || isNaN(b) ? isNaN(a) - isNaN(b) : sign * (a - b);
      });
      body.append(...keyed.map(([, row]) => row));
    });
  });
}
