import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import fc from "fast-check";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import type { ExecRequest } from "#core/io.ts";
import { createLog, silentLog } from "#core/log.ts";
import { runProcess } from "#core/run-process.ts";
import { apartFetcher, readFetched } from "./fetch-apart.ts";
import { maxSourceBytes } from "./fetch-sources.ts";

const program = path.join(import.meta.dirname, "../cli/main.ts");
const argv = [process.execPath, program, "fetch-sources"] as const;

/** systemd-run without systemd: the program itself, with its input and output. */
function startDirectly(request: ExecRequest) {
  const start = request.args.findIndex((arg) => !arg.startsWith("--"));
  const [file = "", ...args] = request.args.slice(start);
  return runProcess({ ...request, file, args }, process.env);
}

t.test("addresses are read by a child, which has no privileges", async (t) => {
  const server = createServer((request, response) => {
    if (request.url === "/good") response.end(Buffer.from([0, 255, 10, 13]));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const io = fakeIo(t.testdir(), { "systemd-run": startDirectly });
  const lines: string[] = [];
  const log = createLog(io.clock, (record) => lines.push(JSON.stringify(record)));

  const fetched = await apartFetcher({ io, log, argv })([`${base}/good`, `${base}/no?key=canary`]);
  t.same([...fetched], [[`${base}/good`, Buffer.from([0, 255, 10, 13])]]);
  t.match(lines.join("\n"), `"origin":"${base}"`);
  t.notMatch(lines.join("\n"), "canary");
  const [request] = io.executed;
  t.ok(request?.args.includes("--property=DynamicUser=yes"));
  t.ok(request?.args.includes("--property=CapabilityBoundingSet="));
  t.notMatch(request?.args.join(" "), "127.0.0.1", "addresses can hold tokens: not in arguments");
});

t.test("a child that fails leaves everything out, and it is said why", async (t) => {
  for (const [end, message] of [
    [{ code: 1, stderr: "x\nFailed to start transient service unit\n" }, /exit code 1: Failed to/],
    [{ code: null, timedOut: true }, /no end within/],
    [{ code: 0, stdout: "" }, /not read/],
  ] as const) {
    const io = fakeIo(t.testdir(), { "systemd-run": () => end });
    const messages: unknown[] = [];
    const log = createLog(io.clock, ({ fields }) => messages.push(fields["message"]));
    t.equal((await apartFetcher({ io, log, argv })(["https://example.org/a"])).size, 0);
    t.match(messages, [message]);
  }
});

t.test("only what was asked for is taken from a child, whatever it says", async (t) => {
  const good = JSON.stringify({ url: "https://a/", bytes: "aGk=" });
  const huge = JSON.stringify({ url: "https://b/", bytes: "A".repeat(maxSourceBytes * 2) });
  const strange = ["", "{", "null", "[]", '{"url":"https://a/"}', '{"url":1,"bytes":"aGk="}'];
  const other = JSON.stringify({ url: "https://other/", bytes: "aGk=" });
  const output = [...strange, other, huge, good].join("\n");
  t.same(
    [...readFetched(output, ["https://a/", "https://b/"])],
    [["https://a/", Buffer.from("hi")]],
  );
  fc.assert(fc.property(fc.string(), (text) => readFetched(text, ["https://a/"]).size <= 1));
  const io = fakeIo(t.testdir(), { "systemd-run": () => ({ stdout: output }) });
  t.equal((await apartFetcher({ io, log: silentLog, argv })(["https://a/"])).size, 1);
});
