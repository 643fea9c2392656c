/** How many assertions a run had. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One test file that has ended. */
export interface FileResult {
  readonly path: string;
  readonly passed: boolean;
  /** Duration as tap gives it, for example `915.343ms`; empty when it gave none. */
  readonly time: string;
  /** What tap said about it, without the assertions that passed. */
  readonly report: readonly string[];
}

/** A test that did not run, or that is marked as not done, and why. */
export interface SkippedTest {
  /** File and titles, from the outermost. */
  readonly title: string;
  readonly reason: string;
}

const subtestLine = /^( *)# Subtest: (.*)$/;
const resultLine = /^( *)(ok|not ok) \d+(?: - (.*))?$/;
const directive = /^(.*?)(?:^| )# (SKIP|TODO)(?: (.*))?$/;
const countsLine = /^# \{ (.*) \}$/;

/**
 * Reads what `tap run --reporter=tap` prints, line by line: TAP 14 with one subtest a file, each
 * file's lines together.
 */
export class TapOutput {
  readonly skipped: SkippedTest[] = [];
  counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  private titles: string[] = [];
  private report: string[] = [];
  /** Line that ends the diagnostics we are in. */
  private diagnosticsEnd: string | null = null;

  /** Takes the next line; returns a file's result when the line ends one. */
  read(line: string): FileResult | undefined {
    if (this.diagnosticsEnd !== null) {
      this.report.push(line);
      if (line === this.diagnosticsEnd) this.diagnosticsEnd = null;
      return undefined;
    }
    const result = resultLine.exec(line);
    if (result !== null) return this.readResult(line, result);
    this.readOther(line);
    return undefined;
  }

  private readResult(line: string, [, indent = "", verdict, rest = ""]: RegExpExecArray) {
    const depth = indent.length / 4;
    const { title, time } = splitTime(rest);
    const marked = directive.exec(title);
    const passed = verdict === "ok";
    const name = marked?.[1] ?? title;
    this.titles.length = depth;
    if (marked !== null) {
      const reason = marked[3] ?? "no reason given";
      this.skipped.push({ title: [...this.titles, name].join(" > "), reason });
    }
    if (!passed) this.report.push(line);
    if (depth > 0) return undefined;
    const report = this.report;
    this.report = [];
    return { path: name, passed, time, report };
  }

  private readOther(line: string): void {
    const subtest = subtestLine.exec(line);
    const totals = countsLine.exec(line);
    if (subtest !== null) {
      const [, indent = "", title = ""] = subtest;
      this.titles.length = indent.length / 4;
      this.titles.push(title);
    } else if (/^ *---$/.test(line)) {
      this.diagnosticsEnd = line.replace("---", "...");
      this.report.push(line);
    } else if (totals?.[1] !== undefined) {
      this.counts = parseCounts(totals[1]);
    } else if (!/^ *(1\.\.\d+.*|TAP version 14|# time=.*)?$/.test(line)) {
      this.report.push(line);
    }
  }
}

function splitTime(rest: string): { readonly title: string; readonly time: string } {
  const match = /^(.*) # time=(\S+)(?: \{)?$/.exec(rest);
  return { title: match?.[1] ?? rest, time: match?.[2] ?? "" };
}

/** `total: 14, pass: 8, fail: 2, todo: 1, skip: 3`; what is marked as not done counts as skipped. */
function parseCounts(text: string): Counts {
  const numbers = new Map(
    text.split(", ").map((pair) => {
      const [name = "", count = "0"] = pair.split(": ");
      return [name, Number(count)] as const;
    }),
  );
  const count = (name: string) => numbers.get(name) ?? 0;
  return {
    passed: count("pass"),
    failed: count("fail"),
    skipped: count("skip") + count("todo"),
  };
}
