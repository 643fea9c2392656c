import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setDefaultCACertificates } from "node:tls";
import t, { type Test } from "tap";
import type { Clock } from "#core/io.ts";
import { silentLog } from "#core/log.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import { readFile, sourceFetcher } from "./fetch-sources.ts";

/** Certificates of 127.0.0.1 for one key that guards nothing: of the years 2200 to 2300, and of the year 2000. */
const certificates = {
  ofTomorrow: [
    "MIIBPjCB5aADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCTEyNy4wLjAuMTAiGA8yMjAwMDEwMTAwMDAw",
    "MFoYDzIzMDAwMTAxMDAwMDAwWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC",
    "AATQyGGB1V6uErwWtJLxwWu6tHvm9NKCm0XOvIoW9kEG9Jmt2VtroNK02mxa7TDagU4TYsFP1rEp6VhmqHPvTONx",
    "oyQwIjAPBgNVHREECDAGhwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgV3O1XygP8JyB",
    "7jQar2GHvhhDydZDeoeYsAwYZ03N3AYCIQDeEWzKE1xefHWdoPFqAQQMKNvPqU5CqLF0ivm30RBQrw==",
  ],
  ofYesterday: [
    "MIIBOzCB4aADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCTEyNy4wLjAuMTAeFw0wMDAxMDEwMDAwMDBa",
    "Fw0wMTAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNDI",
    "YYHVXq4SvBa0kvHBa7q0e+b00oKbRc68ihb2QQb0ma3ZW2ug0rTabFrtMNqBThNiwU/WsSnpWGaoc+9M43GjJDAi",
    "MA8GA1UdEQQIMAaHBH8AAAEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA9nQHRzsLX8GgqLaB",
    "ocAuraRYNU01J7+56AiwHLK+lwMCIQCIM5olRcf2/tMXH94Oa1I5WcgEXbSl6iEDQSSi+8YWPg==",
  ],
} as const;
const key = pem("PRIVATE KEY", [
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6BS3KrXcXkH6Fp7q3edpeUM1yKN2rnB43pJFta0Y",
  "VnehRANCAATQyGGB1V6uErwWtJLxwWu6tHvm9NKCm0XOvIoW9kEG9Jmt2VtroNK02mxa7TDagU4TYsFP1rEp6Vhm",
  "qHPvTONx",
]);

function pem(what: string, base64: readonly string[]): string {
  return `-----BEGIN ${what}-----\n${base64.join("\n")}\n-----END ${what}-----\n`;
}

/** A server that is trusted but for its time. */
async function serve(t: Test, of: keyof typeof certificates): Promise<string> {
  const cert = pem("CERTIFICATE", certificates[of]);
  setDefaultCACertificates([cert]);
  const server = createServer({ key, cert }, (_request, response) => response.end("x"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A clock that stands where a machine without a battery begins, and whose deadline comes after three pauses. */
function stoppedClock(timeoutMs: number): Clock {
  let pauses = 0;
  let deadline = () => {};
  return {
    now: () => 12_000,
    monotonicMs: () => 0,
    sleep(ms) {
      if (ms === timeoutMs)
        return new Promise((resolve) => {
          deadline = resolve;
        });
      if (++pauses === 3) deadline();
      return Promise.resolve();
    },
  };
}

t.test("a certificate that is not of this time is told with what the clock says", async (t) => {
  const timeoutMs = 30_000;
  const at = "by the clock of this machine, which says 1970-01-01T00:00:12.000Z";
  const cases = {
    ofTomorrow: `the certificate is not valid yet ${at}`,
    ofYesterday: `the certificate has expired ${at}`,
  } as const;
  for (const [of, words] of Object.entries(cases)) {
    const url = await serve(t, of as keyof typeof cases);
    await t.rejects(
      readFile(url, 100, { clock: stoppedClock(timeoutMs), courier: httpCourier, timeoutMs }),
      {
        code: "datasource/unreachable",
        message: `${url}: no whole answer within ${timeoutMs} ms: ${words}`,
        hint: /^set the clock of the machine/,
      },
      of,
    );
  }
});

t.test("many addresses that answer late are not waited for without an end", async (t) => {
  let now = 0;
  const clock: Clock = {
    now: () => 0,
    monotonicMs: () => now,
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal))),
  };
  const asked: string[] = [];
  const late: [string, unknown][] = [];
  const fetchSources = sourceFetcher({
    clock,
    log: {
      ...silentLog,
      warning: (event: string, fields: unknown) => void late.push([event, fields]),
    },
    courier: {
      open: async ({ url }) => {
        asked.push(url);
        now += 10_000;
        return { status: 200, body: Readable.from([Buffer.from("x")]), close: () => {} } as never;
      },
    },
  });
  const urls = Array.from({ length: 20 }, (_, n) => `https://192.0.2.1/${n}`);
  t.equal((await fetchSources(urls)).size, 12);
  t.equal(asked.length, 12);
  t.match(late, [["sources.late", { left: 8 }]]);
});
