import { styleText } from "node:util";

/** State of one machine on the screen. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly state: string;
  readonly mark: "waiting" | "running" | "good" | "bad";
}

/** Draws rows again and again in a terminal; one line an event where there is none. */
export interface Picture {
  update(name: string, change: Partial<Row>): void;
  say(text: string): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

const marks = { waiting: "·", running: "◐", good: "✔", bad: "✘" } as const;
const colours = { waiting: "gray", running: "yellow", good: "green", bad: "red" } as const;

/** Opens the picture on stdout; `isLive` draws over what stands there. */
export function openPicture(
  machines: readonly { readonly name: string; readonly title: string }[],
  isLive: boolean,
): Picture {
  const rows = new Map<string, Row>(
    machines.map(({ name, title }) => [name, { name, title, state: "waiting", mark: "waiting" }]),
  );
  let drawn = 0;
  const draw = () => {
    if (!isLive) return;
    const lines = [...rows.values()].map(rowText);
    process.stdout.write(
      `${drawn > 0 ? `\x1b[${drawn}A` : ""}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`,
    );
    drawn = lines.length;
  };
  draw();
  return {
    update(name, change) {
      const row = rows.get(name);
      if (row === undefined) return;
      const next = { ...row, ...change };
      rows.set(name, next);
      if (isLive) draw();
      else if (next.state !== row.state) console.log(`${name}: ${next.state}`);
    },
    say(text) {
      if (isLive && drawn > 0) process.stdout.write(`\x1b[${drawn}A\x1b[0J`);
      drawn = 0;
      console.log(text);
      draw();
    },
    end() {
      drawn = 0;
    },
  };
}

function rowText({ name, title, state, mark }: Row): string {
  const width = Math.max(20, (process.stdout.columns ?? 80) - 46);
  const shown = state.length > width ? `${state.slice(0, width - 1)}…` : state;
  return `${styleText(colours[mark], marks[mark])} ${name.padEnd(8)} ${title.padEnd(34)} ${styleText(colours[mark], shown)}`;
}
