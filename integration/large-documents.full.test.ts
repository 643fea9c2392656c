import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";

t.setTimeout(300_000);

const program = path.join(import.meta.dirname, "../dist/firstlight.js");
const megabyte = 1_000_000;
const mebi = 1024 * 1024;

/** What is refused for its size is not held in memory whole; what is read is, as text and as values. */
const mostMebi = { refused: 64, read: 256 };

const file = "- path: /srv/file\n  content: some text that stands in many files\n";

/** A document from its beginning, and what is repeated until it is as large as it is to be. */
interface Large {
  readonly head: string;
  readonly line: string;
  readonly args?: readonly string[];
}

const large: Readonly<Record<string, Large>> = {
  "a cloud-config": { head: "#cloud-config\nwrite_files:\n", line: file },
  "a cloud-config of one line": { head: "#cloud-config\nhostname: ", line: "a" },
  "a spec": { head: "#firstlight\nversion: 1\nfiles:\n", line: file },
  "a script": { head: "#!/bin/sh\n", line: "echo some text\n" },
  "a message": {
    head: "Content-Type: multipart/mixed; boundary=x\n\n",
    line: "--x\nContent-Type: text/cloud-config\n\n#cloud-config\nhostname: a\n",
  },
  "a network config": {
    head: "version: 2\nethernets:\n",
    line: "  e: {dhcp4: true}\n",
    args: ["--kind", "network"],
  },
};

t.test("a document of 100 MB is an error that names it, and is not held whole", async (t) => {
  const directory = t.testdir({});
  const idle = peakOf(directory, ["version"]).peakMebi;
  for (const [name, document] of Object.entries(large)) {
    const place = path.join(directory, "document");
    writeLarge(place, document, 100 * megabyte);
    const said = `firstlight: ${place}: larger than the 32 MiB that are read at most [cli/bad-input]`;
    for (const command of ["validate", "translate"]) {
      const args = command === "validate" ? (document.args ?? []) : [];
      const ended = peakOf(directory, [command, place, ...args]);
      t.equal(ended.code, 4, `${command} ${name}`);
      t.equal(ended.stderr.split("\n")[0], said);
      t.ok(ended.peakMebi < idle + mostMebi.refused, `${name}: ${ended.peakMebi} MiB`);
    }
  }
});

t.test("one of 100 MB from a pipe is left off where it is too large", async (t) => {
  const directory = t.testdir({});
  const idle = peakOf(directory, ["version"]).peakMebi;
  const ended = peakOf(directory, ["validate", "-"], "/dev/zero");
  t.equal(ended.code, 4);
  t.match(ended.stderr, /^firstlight: -: larger than the 32 MiB/);
  t.ok(ended.peakMebi < idle + mostMebi.refused, `${ended.peakMebi} MiB`);
});

t.test("one that gzip made small is unpacked no further than it is read", async (t) => {
  const place = path.join(t.testdir({ document: "" }), "document");
  const directory = path.dirname(place);
  const idle = peakOf(directory, ["version"]).peakMebi;
  for (const [name, document] of Object.entries(large)) {
    writeLarge(place, document, 100 * megabyte);
    writeFileSync(place, gzipSync(readFileSync(place), { level: 1 }));
    for (const command of ["validate", "translate"]) {
      const args = command === "validate" ? (document.args ?? []) : [];
      const ended = peakOf(directory, [command, place, "--json", ...args]);
      t.equal(ended.code, 4, `${command} ${name}`);
      const { findings } = JSON.parse(ended.stdout) as { findings: readonly unknown[] };
      const message = /holds at most 16 MiB/;
      const finding = { document: place, level: "error", code: "user-data/too-large", message };
      t.match(findings, [finding]);
      t.equal(findings.length, 1);
      t.ok(ended.peakMebi < idle + mostMebi.refused, `${name}: ${ended.peakMebi} MiB`);
    }
  }
});

t.test(
  "one that is just small enough has a finding with its place where it is too much",
  async (t) => {
    const directory = t.testdir({});
    const place = path.join(directory, "document");
    const idle = peakOf(directory, ["version"]).peakMebi;
    for (const [name, bytes, line, message] of [
      ["a cloud-config", 16 * mebi, 1, /more than 8388608 bytes/],
      ["a cloud-config", 8 * mebi, 80_001, /more than 200000 values/],
      ["a cloud-config of one line", 8 * mebi, 2, /hostname|name/],
      ["a spec", 8 * mebi, 80_002, /more than 200000 values/],
      ["a message", 16 * mebi, 5_006, /parts/],
    ] as const) {
      const document = large[name];
      if (document === undefined) throw new Error(name);
      writeLarge(place, document, bytes);
      const ended = peakOf(directory, ["validate", place, "--json"]);
      t.equal(ended.code, 4, name);
      const { findings } = JSON.parse(ended.stdout) as { findings: readonly unknown[] };
      t.match(findings[0], { document: place, line, level: "error", message }, name);
      t.ok(ended.peakMebi < idle + mostMebi.read, `${name}: ${ended.peakMebi} MiB`);
    }
  },
);

function writeLarge(place: string, { head, line }: Large, bytes: number): void {
  const block = line.repeat(Math.ceil(megabyte / line.length));
  const handle = openSync(place, "w");
  let written = writeSync(handle, head);
  while (written + block.length < bytes) written += writeSync(handle, block);
  const rest = Math.floor((bytes - written) / line.length);
  writeSync(handle, line.repeat(Math.max(rest, 0)));
  closeSync(handle);
}

/** How a command of the program as it ships ended, and the most memory that the kernel saw it hold. */
function peakOf(directory: string, args: readonly string[], input = "/dev/null") {
  const report = path.join(directory, "peak");
  const preload = path.join(directory, "preload.mjs");
  writeFileSync(
    preload,
    `import { readFileSync, writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(${JSON.stringify(report)}, readFileSync("/proc/self/status")));
`,
  );
  const stdin = openSync(input, "r");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", preload, program, ...args],
    { encoding: "utf8", stdio: [stdin, "pipe", "pipe"], maxBuffer: 64 * mebi },
  );
  closeSync(stdin);
  const kibi = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(report, "utf8"))?.[1];
  return { code: status, stdout, stderr, peakMebi: Math.round(Number(kibi) / 1024) };
}
