import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { canonicalJson, sha256 } from "#core/canonical-json.ts";
import { hostIo } from "#core/host-io.ts";
import { createLog, type LogRecord } from "#core/log.ts";
import { viaProxy } from "#provisioner/system/fetch/courier.ts";
import { type FakeCache, fakeCache } from "#provisioner/system/fetch/fake-cache.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { type BringDeps, bringDocument, bringManifest } from "./bring.ts";
import { keptDocument } from "./kept-document.ts";
import { documentPlace, manifestPlace } from "./mirrors.ts";
import { documentsDirectory } from "./places.ts";

t.setTimeout(60_000);

const text = canonicalJson({
  v: 1,
  name: "edge-7",
  number: 7,
  spec: { filler: "x".repeat(4_000) },
});
const release = {
  ...{ path: "release/edge-7", name: "edge-7" },
  ...{ length: Buffer.byteLength(text), sha256: sha256(text) },
};
const place = documentPlace(release);
const bytes = Buffer.from(text);

interface Node extends BringDeps {
  readonly records: readonly LogRecord[];
}

function node(t: Test, mirrors: readonly string[]): Node {
  const io = hostIo({ root: t.testdir() });
  const records: LogRecord[] = [];
  return {
    ...{ io, records, mirrors, log: createLog(io.clock, (record) => records.push(record)) },
    settings: { fetch: { minimumRate: 10_000, window: "400ms", bench: "100ms" } },
    courier: hostCourier(io.files),
    signal: new AbortController().signal,
  };
}

const mirror = (t: Test): Promise<FakeCache> =>
  fakeCache(t, (path) => (path === place ? bytes : undefined));

/** A mirror that answers as it likes. */
async function serve(t: Test, answer: (response: ServerResponse, path: string) => void) {
  const server = createServer(({ url = "" }, response) => answer(response, url.slice(1)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const codes = ({ records }: Node) =>
  records.flatMap(({ event, fields }) => (event === "update.mirror" ? [fields["code"]] : []));

t.test("a document comes from the first mirror that has it, and stays", async (t) => {
  const empty = await fakeCache(t, () => undefined);
  const good = await mirror(t);
  const d = node(t, [empty.url, good.url]);
  t.equal(await bringDocument(d, release), text);
  t.same(codes(d), ["system/cache-absent"]);
  t.equal(keptDocument(d.io.files, release), text);
  t.equal(await bringDocument({ ...d, mirrors: [] }, release), text, "without asking anybody");
  t.same(good.requests, [`GET ${place}`]);
  const next = { ...release, sha256: "0".repeat(64) };
  await t.rejects(bringDocument({ ...d, mirrors: [] }, next), { code: "system/fetch-failed" });
  t.same(d.io.files.list(documentsDirectory), [], "what is of another release goes");
});

t.test("no bad mirror keeps a good one from being believed", async (t) => {
  const huge = await serve(t, (response) => {
    response.writeHead(200, { "content-length": 300 * 1024 * 1024 });
    const piece = Buffer.alloc(64 * 1024);
    const push = () => {
      while (!response.destroyed && response.write(piece)) sent += piece.length;
      response.once("drain", push);
    };
    push();
  });
  let sent = 0;
  const changed = Buffer.from(text.replace("edge-7", "edge-8"));
  const cases: readonly (readonly [string, (t: Test) => Promise<string>, string])[] = [
    ["a liar", (t) => serve(t, (response) => response.end(changed)), "system/cache-lied"],
    [
      "one that ends early",
      (t) => serve(t, (response) => response.end(bytes.subarray(0, 900))),
      "system/cache-lied",
    ],
    ["300 MB", async () => huge, "system/cache-lied"],
    [
      "one that sends another part",
      (t) =>
        serve(t, (response) => {
          const headers = { "content-range": `bytes 7-${bytes.length - 1}/${bytes.length}` };
          response.writeHead(206, headers).end(bytes.subarray(7));
        }),
      "system/cache-lied",
    ],
    [
      "one that leads in circles",
      (t) => serve(t, (response, path) => response.writeHead(302, { location: `/${path}` }).end()),
      "system/cache-unreachable",
    ],
    [
      "one that leads to a file",
      (t) =>
        serve(t, (response) => response.writeHead(302, { location: "file:///etc/shadow" }).end()),
      "system/cache-unreachable",
    ],
    [
      "one that drips",
      async (t) => {
        const slow = await mirror(t);
        slow.fault = () => ({ is: "drip" });
        return slow.url;
      },
      "system/cache-slow",
    ],
  ];
  await Promise.all(
    cases.map(([name, start, code]) =>
      t.test(name, async (t) => {
        const good = await mirror(t);
        const d = node(t, [await start(t), good.url]);
        t.equal(await bringDocument(d, release), text);
        t.same(codes(d), [code]);
        t.same(d.io.files.list(documentsDirectory), [release.sha256]);
      }),
    ),
  );
  t.ok(sent < 64 * 1024 * 1024, `it was stopped after ${sent} bytes`);
});

t.test("a redirect is followed, and what broke goes on where it ended", async (t) => {
  const half = await mirror(t);
  half.fault = (_, n) => (n === 1 ? { is: "vanish", after: 1_500 } : { is: "status", status: 503 });
  const good = await mirror(t);
  const leads = await serve(t, (response, path) =>
    response.writeHead(307, { location: `${good.url}${path}` }).end(),
  );
  const d = node(t, [half.url, leads]);
  t.equal(await bringDocument(d, release), text);
  t.match(good.requests, [new RegExp(`^GET ${place} from [1-9]`)], "from another mirror");
  t.same(codes(d), ["system/cache-unreachable"]);
});

t.test("a beginning that a liar has left spoils nothing", async (t) => {
  const good = await mirror(t);
  const d = node(t, [good.url]);
  d.io.files.write(`${documentsDirectory}/${release.sha256}.part`, "y".repeat(2_000));
  t.equal(await bringDocument(d, release), text);
  t.same(good.requests, [`GET ${place} from 2000`, `GET ${place}`]);
});

t.test("with no good mirror the reasons are told, and a proxy is gone through", async (t) => {
  const gone = await mirror(t);
  gone.close();
  const liar = await serve(t, (response) => response.end("{}"));
  const d = node(t, [liar]);
  await t.rejects(bringDocument(d, release), {
    code: "system/fetch-failed",
    message: /^release\/edge-7: http.*not the file that was announced/,
  });
  await t.rejects(bringDocument(node(t, []), release), { message: /no mirror is named/ });

  const asked: string[] = [];
  const proxy = await serve(t, (response, path) => {
    asked.push(`${path} ${response.req.headers["proxy-authorization"]}`);
    response.end(bytes);
  });
  const through = node(t, ["http://mirror.invalid/edge/"]);
  const way = { url: proxy.slice(0, -1), authorization: "Basic abc" };
  const courier = viaProxy(through.courier, way);
  t.equal(await bringDocument({ ...through, courier }, release), text);
  t.same(asked, [`ttp://mirror.invalid/edge/${place} Basic abc`]);
});

t.test("a manifest is the one that the builders have signed, whoever has it", async (t) => {
  const manifest = { v: 1, paths: [], filler: "x".repeat(3_000) };
  const canonical = canonicalJson(manifest);
  const signed = {
    ...{ by: "builder-one", inputDigest: "ab".repeat(32), toplevel: "/nix/store/x" },
    ...{ length: Buffer.byteLength(canonical), sha256: sha256(canonical) },
  };
  const file = JSON.stringify({ manifest, signatures: [] });
  const other = JSON.stringify({ manifest: { ...manifest, v: 2 }, signatures: [] });
  const at = manifestPlace(signed.inputDigest);
  const of = (content: string) =>
    fakeCache(t, (path) => (path === at ? Buffer.from(content) : undefined));
  const [liar, half, good] = [await of(other), await of(file), await of(file)];
  half.fault = (_, n) => (n === 1 ? { is: "vanish", after: 1_000 } : { is: "status", status: 503 });
  const d = node(t, [liar.url, half.url, good.url]);
  t.equal(await bringManifest(d, signed), file);
  t.same(codes(d), ["system/cache-lied", "system/cache-unreachable"]);
  t.match(good.requests, [/ from 1000$/]);
});
