import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import t, { type Test } from "tap";
import { defaultBuildLimits } from "#provisioner/system/build-limits.ts";
import { evaluateApart } from "#provisioner/system/evaluate-apart.ts";
import type { CourierAnswer } from "#provisioner/system/fetch/courier.ts";
import { apart, courierChild } from "#provisioner/system/sides/courier-child.ts";
import { makeCertificates } from "./brokers.ts";
import { checkExposure, transientUnitText } from "./sides/exposure.ts";

t.setTimeout(120_000);
const main = path.join(import.meta.dirname, "../cli/main.ts");
const program = [process.execPath, main, "courier"] as const;
const never = new AbortController().signal;
const content = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 256));

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: Test, handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function read({ body }: CourierAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Its process is its answer. */
const saysItsPid = `process.stdin.on("data", () => {
  const pid = String(process.pid);
  console.log(JSON.stringify({ status: 200, offset: 0 }) + "\\n" + pid.length + "\\n" + pid + "0");
})`;

/** A child that says something else than ours would. */
const says = (script: string) => courierChild([process.execPath, "-e", script]);
const asked = { url: "http://127.0.0.1:9/x", offset: 0, answerMs: 10_000, signal: never };

t.test("a child brings bytes as they are, from where it was asked", async (t) => {
  const base = await serve(t, ({ headers, url }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    if (url !== "/file") return response.writeHead(404).end("no such file");
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    return response
      .writeHead(from > 0 ? 206 : 200, from > 0 ? { "content-range": range } : {})
      .end(content.subarray(from));
  });
  const courier = courierChild(program);
  const whole = await courier.open({ ...asked, url: `${base}/file` });
  t.match(whole, { status: 200, offset: 0 });
  t.ok((await read(whole)).equals(content));
  const part = await courier.open({ ...asked, url: `${base}/file`, offset: 299_990 });
  t.match(part, { status: 206, offset: 299_990 });
  t.ok((await read(part)).equals(content.subarray(299_990)));
  const none = await courier.open({ ...asked, url: `${base}/other` });
  t.match(none, { status: 404 });
  t.equal((await read(none)).length, 0);
});

t.test(
  "one child answers one request after another, more are started where more are asked",
  async (t) => {
    const base = await serve(t, ({ socket, url }, response) => {
      if (url === "/gone") return socket.destroy();
      if (url === "/none") return response.writeHead(404).end("no such file");
      return response.writeHead(200).end(content);
    });
    const pids = new Set<string>();
    const courier = says(saysItsPid);
    const note = async (answer: CourierAnswer) => void pids.add(String(await read(answer)));
    for (let n = 0; n < 3; n++) await note(await courier.open(asked));
    t.equal(pids.size, 1);
    await Promise.all([courier.open(asked), courier.open(asked)].map(async (a) => note(await a)));
    t.equal(pids.size, 2);
    (await courier.open(asked)).close();
    for (let n = 0; n < 2; n++) await note(await courier.open(asked));
    t.equal(pids.size, 2, "one that was closed early is not asked again, the other one is");

    const real = courierChild(program);
    for (const file of ["/file", "/none", "/file"]) {
      const answer = await real.open({ ...asked, url: `${base}${file}` });
      t.equal((await read(answer)).length, file === "/file" ? content.length : 0);
    }
    await t.rejects(real.open({ ...asked, url: `${base}/gone` }));
    t.ok((await read(await real.open({ ...asked, url: `${base}/file` }))).equals(content));
  },
);

t.test("what breaks the connection is thrown, and what is not wanted is ended", async (t) => {
  let closed = () => {};
  const base = await serve(t, ({ url }, response) => {
    if (url === "/broken") {
      response.writeHead(200, { "content-length": "1000000" }).write(content, () => {
        response.destroy();
      });
      return;
    }
    response.writeHead(200).write("begun");
    response.on("close", () => closed());
  });
  const courier = courierChild(program);
  await t.rejects(read(await courier.open({ ...asked, url: `${base}/broken` })));

  const ends = [
    (answer: CourierAnswer) => answer.close(),
    (_answer: CourierAnswer, stop: AbortController) => stop.abort(new Error("called off")),
  ];
  for (const end of ends) {
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const stop = new AbortController();
    const answer = await courier.open({ ...asked, url: `${base}/endless`, signal: stop.signal });
    const reading = read(answer);
    reading.catch(() => {});
    end(answer, stop);
    await gone; // the server has seen the child go
    if (stop.signal.aborted) await t.rejects(reading, { message: "called off" });
  }
});

t.test("a child is believed no more than the network is", async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /said nothing/],
    ["process.exit(3)", /ended with 3/],
    ["console.error('secret\\nno route'); process.exit(1)", /^no route$/],
    ["console.log('hello')", /JSON/],
    ["console.log('{}')", /no status/],
    ["console.log(JSON.stringify({ status: '200', offset: 0 }))", /no status/],
    ["console.log(JSON.stringify({ status: 200, offset: -1 }))", /no status/],
    ["console.log('null')", /no status/],
    [
      "process.stdout.write('x'.repeat(10_000)); setInterval(() => {}, 1000)",
      /a line of more than/,
    ],
  ];
  for (const [script, message] of cases) {
    await t.rejects(says(script).open(asked), { message }, script);
  }
  const head = "console.log(JSON.stringify({ status: 200, offset: 0 }))";
  const torn: readonly (readonly [string, RegExp])[] = [
    ["process.exit(5)", /ended with 5/],
    ["process.stdout.write('9\\nhalf', () => process.exit(0))", /ended too early/],
    ['console.log(\'{"error":"reset"}\')', /^reset$/],
    ["console.log('-1')", /no length/],
    ["console.log('1e9')", /no length/],
    ["console.log('\"4\"')", /no length/],
    ["console.log('half')", /JSON/],
    ["process.stdout.write('1'.repeat(10_000))", /a line of more than/],
  ];
  for (const [script, message] of torn) {
    const answer = await says(`${head}; ${script}; process.stdin.resume()`).open(asked);
    await t.rejects(read(answer), { message }, script);
  }
  await t.rejects(courierChild(["/nowhere/at-all"]).open(asked), { code: "ENOENT" });
  for (const url of ["file:///etc/shadow", "ftp://x/", "", "data:,x"]) {
    await t.rejects(courierChild(program).open({ ...asked, url }), url);
  }
});

t.test("under systemd neither it nor an evaluation has privileges", async (t) => {
  const argv = apart(program);
  t.equal(argv[0], "systemd-run");
  t.same(argv.slice(-3), program);
  const limits = { hostSources: "/sources", nixPath: "", buildLimits: defaultBuildLimits };
  const line = { argv: ["nix-instantiate"], timeoutMs: 1_000 } as const;
  const evaluation = evaluateApart(limits, "firstlight-evaluate-x", line).argv;
  for (const unit of [argv, evaluation]) {
    for (const property of ["DynamicUser=yes", "CapabilityBoundingSet=", "ProtectSystem=strict"]) {
      t.ok(unit.includes(`--property=${property}`), property);
    }
  }
  await checkExposure(t, { name: "firstlight-courier", most: 20, text: transientUnitText(argv) });
  const ported = apart(program, { privilegedPorts: true });
  t.same(
    ported.filter((arg) => /Capabilit|PrivateUsers/.test(arg)),
    [
      "--property=AmbientCapabilities=CAP_NET_BIND_SERVICE",
      "--property=CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    ],
    "ports below 1024 take that one capability, among the machine's users",
  );
  const portedText = transientUnitText(ported);
  await checkExposure(t, { name: "firstlight-courier-ports", most: 20, text: portedText });
  const grouped = apart(program, { group: "firstlight-metadata" });
  t.ok(grouped.includes("--property=Group=firstlight-metadata"), "whom a closed service answers");
  const local = apart(program, { devices: ["/dev/ttyS1"] });
  const granted = ["PrivateNetwork=yes", "CapabilityBoundingSet=", "DeviceAllow=/dev/ttyS1 rw"];
  for (const property of granted) t.ok(local.includes(`--property=${property}`), property);
  t.notOk(local.includes("--property=DynamicUser=yes"), "sockets of hypervisors are root's");
  const localText = transientUnitText(local);
  await checkExposure(t, { name: "firstlight-courier-local", most: 20, text: localText });
  const text = transientUnitText(evaluation);
  await checkExposure(t, { name: "firstlight-evaluate", most: 20, text });
});

t.test(
  "a child sends what it is given, to the authority that it is told and no other",
  async (t) => {
    const { authority, certificate, key } = makeCertificates(t);
    const server = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      async (request, response) => {
        if (request.url === "/away") return response.writeHead(302, { location: "/echo" }).end();
        const body = Buffer.concat(await request.toArray()).toString("utf8");
        const { method, headers } = request;
        response.end(JSON.stringify({ method, mark: headers["x-mark"], body }));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    const base = `https://localhost:${(server.address() as AddressInfo).port}`;
    const courier = courierChild(program);
    const send = { method: "POST", headers: { "x-mark": "one" }, body: "b\u00f6dy\n" } as const;
    const ca = readFileSync(authority, "utf8");
    const answer = await courier.open({ ...asked, url: `${base}/echo`, send, ca });
    const said = JSON.parse((await read(answer)).toString("utf8"));
    t.strictSame(said, { method: "POST", mark: "one", body: "b\u00f6dy\n" });
    const away = await courier.open({ ...asked, url: `${base}/away`, send, ca });
    t.equal(away.status, 302, "what is sent follows no redirect");
    away.close();
    const other = readFileSync(makeCertificates(t).authority, "utf8");
    for (const more of [{ ca: other }, {}])
      await t.rejects(
        courier.open({ ...asked, url: `${base}/echo`, send, ...more }),
        /certificate/,
      );
    const put = { method: "DELETE", headers: {} } as unknown as typeof send;
    await t.rejects(courier.open({ ...asked, url: `${base}/echo`, send: put, ca }));
  },
);
