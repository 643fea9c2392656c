import t from "tap";
import { openTerminal, pageOf } from "./terminal.ts";

const esc = "\u001b";

/** What a terminal of so many columns shows after all that was written to it. */
function screen(columns: number) {
  const rows: string[] = [""];
  let row = 0;
  return {
    isTTY: true,
    columns,
    rows: 24,
    write(text: string) {
      const pieces = text.split(new RegExp(`(${esc}\\[[0-9]*[AJ]|\\r|\\n)`));
      for (const piece of pieces) {
        const up = new RegExp(`^${esc}\\[([0-9]+)A$`).exec(piece)?.[1];
        if (up !== undefined) row -= Number(up);
        else if (piece === `${esc}[J`) rows.splice(row, rows.length, "");
        else if (piece === "\n") {
          row += 1;
          rows[row] ??= "";
        } else if (piece !== "\r") rows[row] += piece;
      }
    },
    text: () => rows.join("\n"),
  };
}

const env = { TERM: "xterm", LANG: "en_US.UTF-8" };

t.test("lines that stay are drawn in place, below what is said meanwhile", async (t) => {
  const s = screen(80);
  const { write, aside, live } = openTerminal(s, env);
  live?.show(["one", "two"]);
  write("said\n");
  live?.show(["three"]);
  aside(() => s.write("data\n"));
  t.equal(s.text(), "said\ndata\nthree\n");
  live?.show([]);
  write("end\n");
  t.equal(s.text(), "said\ndata\nend\n");
});

t.test("a line is never so wide that it becomes two", async (t) => {
  const s = screen(10);
  const { live } = openTerminal(s, env);
  live?.show(["0123456789abc"]);
  live?.show(["漢字漢字漢字"]);
  t.equal(s.text(), "漢字漢字…\n");
});

t.test("where nothing can be drawn in place there is nothing to draw on", async (t) => {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) };
  const plain = openTerminal(stream, env);
  t.equal(plain.live, undefined);
  plain.write("said\n");
  t.strictSame(written, ["said\n"]);
  t.equal(openTerminal({ ...stream, isTTY: true }, { TERM: "dumb" }).live, undefined);
  t.equal(openTerminal({ ...stream, isTTY: true }, {}).live, undefined);
});

t.test("a terminal that does not know its size has the usual one", async (t) => {
  const { live } = openTerminal({ ...screen(0), rows: 0 }, env);
  t.equal(live?.columns(), 80);
  t.equal(live?.rows(), 24);
});

t.test("the letters of the terminal are those of its locale", async (t) => {
  const stream = { write: () => {}, isTTY: true };
  const isUnicode = (more: Record<string, string>) =>
    openTerminal(stream, { TERM: "linux", ...more }).live?.isUnicode;
  t.equal(isUnicode({ LANG: "C" }), false);
  t.equal(isUnicode({ LANG: "C", LC_ALL: "de_DE.utf8" }), true);
  t.equal(isUnicode({ LANG: "C.UTF-8", LC_ALL: "POSIX" }), false);
});

t.test(
  "a page is as wide as its terminal, 80 columns elsewhere, and writes what the locale does",
  async (t) => {
    t.same(pageOf({ columns: 60 }, env), { columns: 60, isUnicode: true });
    t.same(pageOf({}, { LANG: "C.utf8" }), { columns: 80, isUnicode: true });
    t.same(pageOf({}, { LANG: "C.UTF-8", LC_ALL: "C" }), { columns: 80, isUnicode: false });
    t.same(pageOf({}, {}), { columns: 80, isUnicode: false });
  },
);
