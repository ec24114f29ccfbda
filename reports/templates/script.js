(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const text = (root, selector) => root.querySelector(selector)?.textContent.trim() ?? "";

  const copy = async (content, status, fallback) => {
    try {
      await navigator.clipboard.writeText(content);
      status.textContent = "Copied.";
    } catch {
      fallback.closest("details:not([open])")?.setAttribute("open", "");
      getSelection().selectAllChildren(fallback);
      status.textContent = "Selected. Press Ctrl+C to copy.";
    }
  };
  const button = (label, act) => {
    const control = document.createElement("button");
    const status = document.createElement("span");
    const line = document.createElement("p");
    control.type = "button";
    control.textContent = label;
    status.setAttribute("role", "status");
    line.className = "act";
    line.append(control, " ", status);
    control.addEventListener("click", () => act(status));
    return line;
  };

  const ticket = document.getElementById("ticket");
  const main = document.getElementById("copy");
  main.hidden = false;
  main.addEventListener("click", () => copy(ticket.textContent, document.getElementById("copied"), ticket));

  const escapeMarkdown = (content) => content.replace(/[\\`*_{}[\]<>|#@~&!]/g, "\\$&").replace(/\s+/g, " ");
  const renderNode = (node) => {
    if (node.nodeName !== "CODE" || node.textContent.includes("`")) return escapeMarkdown(node.textContent);
    return `${node.classList.contains("command") ? ": " : ""}\`${node.textContent.trim()}\``;
  };
  const renderInline = (element) => [...element.childNodes].map(renderNode).join("").trim();
  const renderPair = (pair) => {
    const ways = all("dd li", pair).map((way, index) => `\n  ${index + 1}. ${renderInline(way)}`);
    return `- ${escapeMarkdown(text(pair, "dt"))}:${ways.length ? ways.join("") : ` ${renderInline(pair.querySelector("dd"))}`}`;
  };
  const renderMarkdown = (finding) => {
    const group = finding.closest(".group");
    const heading = all("h4", finding)[0].cloneNode(true);
    heading.querySelector(".here")?.remove();
    const lines = [
      `### ${escapeMarkdown(text(group, ".name"))} (${all("h3 .rule", group).map((rule) => escapeMarkdown(rule.textContent)).join(", ")})`,
      "",
      `${escapeMarkdown(heading.textContent.trim())} (${escapeMarkdown(text(finding, ".place"))})`,
      "",
      ...all(".verdicts div", finding).map(renderPair),
    ];
    const log = all(".log li", finding).map((line) => `${line.querySelector(".no").lastChild.textContent}: ${text(line, "code")}`);
    if (log.length) {
      const longest = Math.max(2, ...(log.join("\n").match(/`+/g) ?? []).map((ticks) => ticks.length));
      const fence = "`".repeat(longest + 1);
      lines.push("", `${fence}text`, ...log, fence);
    }
    return `${lines.join("\n")}\n`;
  };
  for (const finding of all(".finding")) {
    finding.append(button("Copy as Markdown", (status) => copy(renderMarkdown(finding), status, finding)));
  }
  for (const box of all(".scroll.copied")) {
    const rows = () => all("tr", box).map((row) => all("th, td", row).map((cell) => cell.textContent.trim()).join("\t"));
    box.after(button("Copy the table", (status) => copy(`${rows().join("\n")}\n`, status, box.querySelector("table"))));
  }

  for (const form of all("[data-filter]")) {
    form.hidden = false;
    const apply = () => {
      const wanted = form.elements.text.value.trim().toLowerCase();
      let shown = 0;
      for (const group of all(".group")) {
        const head = text(group, "header").toLowerCase();
        const items = all(".finding, tbody tr, .others li", group);
        const kept = items.filter((item) => {
          const kind = ["error", "warning", "info"].find((name) => item.classList.contains(name) || item.querySelector(`.toned.${name}`));
          const fits = (!kind || form.elements[kind].checked) && (!wanted || `${head} ${item.textContent.toLowerCase()}`.includes(wanted));
          item.hidden = !fits;
          return fits;
        });
        shown += kept.length;
        group.hidden = !kept.length;
      }
      form.querySelector("output").textContent = `${shown} shown`;
      if (wanted) all("details.notes").forEach((notes) => (notes.open = true));
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  for (const tools of all("[data-fold]")) {
    tools.hidden = false;
    for (const one of all("button", tools)) {
      one.addEventListener("click", () => all("details.run").forEach((run) => (run.open = Boolean(one.dataset.open))));
    }
  }

  const value = (cell) => {
    const words = (cell?.querySelector("small") ? cell.cloneNode(true) : cell);
    words?.querySelectorAll?.("small, .unseen, svg").forEach((part) => part.parentElement !== null && words !== cell && part.remove());
    const shown = words?.textContent.trim() ?? "";
    const time = /^(?:(\d+) h )?(?:(\d+) min ?)?(?:([\d.]+) s)?$/.exec(shown);
    if (time && time[0]) return (+(time[1] ?? 0) * 60 + +(time[2] ?? 0)) * 60 + +(time[3] ?? 0);
    const number = /^-?[\d,]+(?:\.\d+)?/.exec(shown);
    return number ? parseFloat(number[0].replaceAll(",", "")) : shown === "–" ? "" : shown.toLowerCase();
  };
  const compare = (one, other) =>
    typeof one === typeof other ? (one < other ? -1 : one > other ? 1 : 0) : typeof one === "number" ? -1 : 1;
  for (const head of all("table.sortable th")) {
    const control = document.createElement("button");
    control.type = "button";
    control.append(...head.childNodes);
    head.append(control);
    control.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      all("th", head.parentElement).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const keyed = [...body.rows].map((row) => [value(row.cells[head.cellIndex]), row]);
      keyed.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]));
      body.append(...keyed.map(([, row]) => row));
    });
  }

  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();
})();
