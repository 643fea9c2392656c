import { Readable } from "node:stream";
import t from "tap";
import type { Clock } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { content } from "./fake-boot.ts";
import { sourceFetcher } from "./fetch-sources.ts";
import { readParts } from "./read-parts.ts";
import { resolveSpec } from "./resolve-spec.ts";

const mib = 1024 * 1024;

interface Pace {
  /** MiB of each address. */
  readonly size?: number;
  readonly fetchMs?: number;
}

/** Addresses that are read by a clock of their own, each as large, and each try as slow. */
function served({ size = 0, fetchMs = 0 }: Pace) {
  let now = 0;
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => now,
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal))),
  };
  const counts = { asked: 0, bytes: 0 };
  const chunk = Buffer.alloc(mib, "#");
  function* body() {
    for (let n = 0; n < size; n++) {
      counts.bytes += mib;
      yield chunk;
    }
  }
  const open = async () => {
    counts.asked += 1;
    now += fetchMs;
    return { status: 200, body: Readable.from(body(), { highWaterMark: 1 }), close: () => {} };
  };
  const fetchSources = sourceFetcher({ clock, log: silentLog, courier: { open } as never });
  const pass = (ms: number) => {
    now += ms;
  };
  return { clock, counts, fetchSources, pass };
}

/** What is read for user-data where each address has so many MiB, and each try takes its time. */
async function read(
  userData: string,
  {
    renderMs = 0,
    text = "",
    ...pace
  }: Pace & { readonly renderMs?: number; readonly text?: string } = {},
) {
  const { clock, counts, fetchSources, pass } = served(pace);
  const bytes = Buffer.from(userData);
  const { instance } = content(userData);
  let rendered = 0;
  const known = await readParts({ userData: { document: "user-data", bytes } }, instance, {
    ...{ clock, fetchSources },
    renderTemplate: async () => {
      rendered += 1;
      pass(renderMs);
      return { text: `#!/bin/sh\n${text}`, missing: [] };
    },
  });
  return { ...counts, rendered, fetched: known.fetched, findings: known.findings, known };
}

const including = (count: number) =>
  `#include\n${Array.from({ length: count }, (_, n) => `https://192.0.2.1/${n}\n`).join("")}`;
const templates = (count: number) => {
  const one = (n: number) => `- |\n  ## template: jinja\n  #!/bin/sh\n  echo ${n} {{ name }}\n`;
  return `#cloud-config-archive\n${Array.from({ length: count }, (_, n) => one(n)).join("")}`;
};

t.test("of one document that is included no more than 16 MiB is read", async (t) => {
  const { fetched, bytes } = await read(including(1), { size: 20 });
  t.equal(fetched.size, 0);
  t.ok(bytes <= 19 * mib, `${bytes} bytes`);
  t.equal((await read(including(1), { size: 16 })).fetched.size, 1);
});

t.test("what is included is at most 64 MiB in all, and nothing is asked for beyond", async (t) => {
  const { fetched, asked, findings } = await read(including(20), { size: 15 });
  t.equal(fetched.size, 4);
  t.ok(asked <= 8, `${asked} were asked for`);
  t.match(findings, [
    { level: "error", code: "user-data/parts-limit", document: "user-data", message: /64 MiB/ },
  ]);
  t.equal(findings.length, 1);
});

t.test("what templates come to counts as well", async (t) => {
  const text = "#".repeat(15 * mib);
  const { rendered, findings, known } = await read(templates(9), { text });
  t.equal(rendered, 5);
  t.equal([...known.rendered.values()].filter((each) => each !== null).length, 4);
  t.match(findings.at(-1), { code: "user-data/parts-limit", message: /64 MiB/ });
});

t.test("at most 64 templates are rendered, and the first one beyond is named", async (t) => {
  t.same((await read(templates(64))).findings, []);
  const { rendered, findings, known } = await read(templates(200));
  t.equal(rendered, 64);
  t.equal(known.rendered.size, 200, "of the others no more is said");
  t.match(findings, [
    { code: "user-data/parts-limit", message: /64 templates/, document: /^user-data/ },
  ]);
  t.ok((findings[0]?.line ?? 0) > 0);
});

t.test("all of it together ends after 180 s", async (t) => {
  const slow = await read(templates(40), { renderMs: 10_000 });
  t.equal(slow.rendered, 18);
  t.match(slow.findings, [{ code: "user-data/parts-limit", message: /180 s/ }]);
  const mime = ["--x", "", including(8), "--x", "", templates(40), "--x--", ""].join("\n");
  const header = "Content-Type: multipart/mixed; boundary=x\n\n";
  const both = await read(`${header}${mime}`, { size: 1, fetchMs: 10_000, renderMs: 10_000 });
  t.equal(both.asked, 8);
  t.equal(both.rendered, 10);
  t.match(both.findings, [{ code: "user-data/parts-limit" }]);
});

/** Files that come from addresses, each with so many MiB: what is said of them. */
async function resolveFiles(count: number, pace: Pace, more = "") {
  const { clock, counts, fetchSources } = served(pace);
  const file = (n: number) =>
    `- {path: /srv/${n}, source: {uri: 'https://192.0.2.1/${n}'}${more}}\n`;
  const files = Array.from({ length: count }, (_, n) => file(n)).join("");
  const { findings, spec } = await resolveSpec(
    content(`#cloud-config\nwrite_files:\n${files}`),
    {},
    { clock, fetchSources, openEnvelope: async () => new Uint8Array() },
  );
  const said = findings.filter(({ code }) => code === "cloud-config/sources-limit");
  const others = findings.filter(({ code }) => code === "cloud-config/source-unavailable");
  return {
    ...counts,
    spec,
    others,
    said: said.map(({ level, line, path }) => [level, line, path]),
  };
}

t.test("files come to at most 64 MiB in all, and the one over it is named", async (t) => {
  const all = await resolveFiles(4, { size: 15 });
  t.same([all.said, all.others], [[], []]);
  t.equal(all.spec.files?.length, 4);
  const over = await resolveFiles(6, { size: 15 });
  t.same(over.said, [
    ["error", 7, "write_files.4.source.uri"],
    ["error", 8, "write_files.5.source.uri"],
  ]);
  t.same(over.others, [], "nothing else is said of them");
  t.ok(over.bytes <= 70 * mib, `${over.bytes} bytes`);
  const own = await resolveFiles(5, { size: 15 }, ", content: own");
  t.same(own.said, [["warning", 7, "write_files.4.source.uri"]]);
  const one = await resolveFiles(1, { size: 33 });
  t.same(
    [one.said, one.others.length],
    [[], 1],
    "one that is too large by itself is another matter",
  );
});

t.test("files take at most two minutes in all, and those that are left are named", async (t) => {
  const { said, asked } = await resolveFiles(12, { fetchMs: 16_000 });
  t.equal(asked, 8);
  t.same(
    said,
    [8, 9, 10, 11].map((n) => ["error", n + 3, `write_files.${n}.source.uri`]),
  );
});
