import { gzipSync } from "node:zlib";
import t from "tap";
import { formatFinding } from "#core/finding.ts";
import { openSigned, type Trust, tellSignature } from "./open-signed.ts";
import { readNamespace } from "./signed-for.ts";
import { signedBytes } from "./signed-form.ts";
import { hardwareSigner, makeSigner, signedWith, skipWithoutSshKeygen } from "./try-sign.ts";

const text = "#cloud-config\nhostname: edge-1\n";

/** What becomes of user-data, as a person reads it; `undefined` where it is not called signed. */
function open(bytes: Uint8Array, trust: Trust) {
  const signed = signedBytes(bytes);
  if (signed === undefined) return undefined;
  const raw = { document: "user-data", bytes };
  const { document, signature, findings } = openSigned(raw, signed, trust);
  return {
    ...{ signature, said: findings.map(formatFinding) },
    text: document === undefined ? undefined : Buffer.from(document.bytes).toString(),
  };
}

t.test("signed text comes out on the lines that it has in the document", async (t) => {
  const signer = hardwareSigner();
  const document = signedWith(signer, text, { namespace: "firstlight,serial=7,instance-id=i%2C1" });
  const opened = open(document, { signers: [signer.line], instanceId: "i,1" });
  const lines = document.toString().split("\n").indexOf("#cloud-config");
  t.equal(opened?.text, "\n".repeat(lines) + text);
  t.match(opened?.signature, { serial: 7, instanceId: "i,1", signer: /^token \(SHA256:/ });
  t.same(opened?.said, []);
  t.match(
    opened?.signature && tellSignature({ document: "a", bytes: document }, opened.signature),
    {
      level: "note",
      message: /^signed by token \(SHA256:[^)]+\), with the serial 7, for the instance "i,1"$/,
    },
  );
});

t.test("what stands around and inside a signed document", async (t) => {
  const signer = hardwareSigner();
  const trust = { signers: ["ssh-ed25519 not-a-key", signer.line] };
  const document = signedWith(signer, text);
  const taken: Readonly<Record<string, Uint8Array>> = {
    "white space before it": Buffer.concat([Buffer.from("\n\n "), document]),
    "a byte order mark": Buffer.concat([Buffer.from("\ufeff"), document]),
    "packed with gzip": gzipSync(document),
    "base64 as a whole": Buffer.from(document.toString("base64")),
    "base64 in lines": Buffer.from(document.toString("base64").replace(/.{76}/g, "$&\n")),
    "gzip in base64": Buffer.from(gzipSync(document).toString("base64")),
    "upper case": Buffer.from(
      document.toString().replace("#firstlight-signed", "#FIRSTLIGHT-SIGNED"),
    ),
    "an empty line before the signature": Buffer.from(document.toString().replace("\n", "\n\n")),
  };
  for (const [name, bytes] of Object.entries(taken)) {
    const opened = open(bytes, trust);
    t.equal(opened?.text?.trimStart(), text, name);
    t.same(opened?.said, [], name);
  }
  for (const inner of [
    "",
    "\ufeff#cloud-config\r\n",
    "no newline",
    "-----BEGIN AGE ENCRYPTED FILE-----",
  ])
    t.equal(
      open(signedWith(signer, inner), trust)?.text?.trim(),
      inner.trim(),
      JSON.stringify(inner),
    );
  const packed = gzipSync(text);
  const bytes = signedWith(signer, packed);
  const raw = { document: "user-data", bytes };
  t.same(openSigned(raw, bytes, trust).document?.bytes, packed, "gzip stays as it is");
  for (const other of [
    "#firstlight\n",
    "#firstlight-signed-by\n",
    "#firstlight-signedX",
    "",
    "#firstlight-sign",
  ])
    t.equal(open(Buffer.from(other), trust), undefined, other);
  t.equal(
    open(gzipSync(document).subarray(0, 40), trust),
    undefined,
    "cut gzip is told by its reader",
  );
});

interface Wrong {
  readonly when: string;
  readonly bytes: Uint8Array;
  readonly trust?: Partial<Trust>;
  readonly want: RegExp;
}

t.test("a document that does not count is an error with its place, and what to do", async (t) => {
  const signer = hardwareSigner();
  const stranger = hardwareSigner();
  const document = signedWith(signer, text);
  const said = document.toString();
  const [begin, end] = ["-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"];
  const as = (change: (text: string) => string) => Buffer.from(change(said));
  const cases: readonly Wrong[] = [
    {
      when: "the text was changed",
      bytes: as((it) => it.replace("edge-1", "edge-2")),
      want: /^user-data:2:1 error: the text is not what was signed \[user-data\/signature-wrong\]\n {2}Sign the text anew/,
    },
    {
      when: "the end was cut",
      bytes: document.subarray(0, -5),
      want: /the text is not what was signed/,
    },
    {
      when: "the last newline was lost",
      bytes: document.subarray(0, -1),
      want: /not what was signed .*\n {2}the newline at its end was lost/,
    },
    {
      when: "a newline was added",
      bytes: Buffer.concat([document, Buffer.from("\n\n")]),
      want: /not what was signed .*\n {2}something was added at its end/,
    },
    {
      when: "its lines end as on Windows",
      bytes: as((it) => it.replaceAll("\n", "\r\n")),
      want: /not what was signed .*\n {2}its ends of lines were changed to those of Windows/,
    },
    {
      when: "a stranger signed it",
      bytes: signedWith(stranger, text),
      want: /^user-data:2:1 error: .* is none of the keys that count here \[user-data\/signature-foreign\]/,
    },
    {
      when: "it was signed for something else",
      bytes: signedWith(signer, text, { namespace: "file" }),
      want: /the signature is for "file", .*\[user-data\/signature-foreign\]\n {2}sign it with `-n firstlight`/,
    },
    {
      when: "the purpose has letters that a terminal acts on",
      bytes: signedWith(signer, text, { namespace: "\u001b[2J" }),
      want: /the signature is for "\ufffd\[2J"/,
    },
    {
      when: "it was signed for another instance",
      bytes: signedWith(signer, text, { namespace: "firstlight,instance-id=i-2" }),
      trust: { instanceId: "i-1" },
      want: /the signature is for the instance "i-2", and this is "i-1"/,
    },
    {
      when: "there is no signature",
      bytes: Buffer.from(`#firstlight-signed\n${text}`),
      want: /^user-data:2:1 error: expected -----BEGIN SSH SIGNATURE----- \[user-data\/signature-malformed\]/,
    },
    {
      when: "there is nothing at all",
      bytes: Buffer.from("#firstlight-signed"),
      want: /^user-data:2:1 error: expected -----BEGIN/,
    },
    {
      when: "more stands on the first line",
      bytes: as((it) => it.replace("\n", " by me\n")),
      want: /^user-data:1:1 error: more than #firstlight-signed stands/,
    },
    {
      when: "the signature has no end",
      bytes: as((it) => it.slice(0, it.indexOf(end))),
      want: /^user-data:2:1 error: the signature has no end/,
    },
    {
      when: "the end of the signature is far away",
      bytes: as((it) => it.replace(end, `${"A".repeat(70)}\n`.repeat(400) + end)),
      want: /the signature has no end/,
    },
    {
      when: "the signature is empty",
      bytes: Buffer.from(`#firstlight-signed\n${begin}\n${end}\n${text}`),
      want: /the signature is no Base64/,
    },
    {
      when: "the signature is cut",
      bytes: as((it) => it.replace(/.{20}\n-----END/, "\n-----END")),
      want: /the signature (is no Base64|cannot be read)/,
    },
    {
      when: "it is another kind of signature",
      bytes: as((it) => it.replace(`${begin}\nU1NIU0lH`, `${begin}\nQUFBQUFB`)),
      want: /cannot be read: it does not begin as one of ssh-keygen/,
    },
    {
      when: "two signatures stand one after the other",
      bytes: as((it) =>
        it.replace("#firstlight-signed\n", `#firstlight-signed\n${stranger.sign(text)}`),
      ),
      want: /error: a second signature follows, and a document has one .*\n {2}keep the one/,
    },
  ];
  for (const { when, bytes, trust, want } of cases) {
    const opened = open(bytes, { signers: [signer.line], ...trust });
    t.equal(opened?.text, undefined, when);
    t.equal(opened?.signature, undefined, when);
    t.equal(opened?.said.length, 1, when);
    t.match(opened?.said[0], want, when);
  }
});

t.test("with nobody to trust a whole document is read, and a damaged one is not", async (t) => {
  const document = signedWith(hardwareSigner(), text);
  const opened = open(document, { signers: [] });
  t.equal(opened?.text?.trimStart(), text);
  t.equal(opened?.signature, undefined);
  t.match(opened?.said, [
    /^user-data:2:1 note: the document is whole and signed by SHA256:.* \[user-data\/signature-unchecked\]\n {2}Name the keys in `userData.signers`/,
  ]);
  const changed = Buffer.from(document.toString().replace("edge-1", "edge-2"));
  t.match(open(changed, { signers: [] }), { text: undefined, said: [/not what was signed/] });
});

t.test("no byte of a document can be changed unseen", { skip: skipWithoutSshKeygen }, async (t) => {
  const signer = makeSigner(t, "ed25519");
  const document = signedWith(signer, text);
  const start = "#firstlight-signed\n".length;
  const trust = { signers: [signer.line] };
  t.equal(open(document, trust)?.text?.trimStart(), text);
  for (let at = start; at < document.length; at += 1) {
    for (const bits of [0x01, 0x20, 0x80]) {
      const changed = Buffer.from(document);
      changed[at] = (changed[at] ?? 0) ^ bits;
      const opened = open(changed, trust);
      if (opened?.text !== undefined) t.fail(`byte ${at} ^ ${bits}: ${changed}`);
    }
    if (open(document.subarray(0, at), trust)?.text !== undefined) t.fail(`cut to ${at}`);
  }
});

t.test("what a signature says of itself", async (t) => {
  const cases: readonly (readonly [string, ReturnType<typeof readNamespace>])[] = [
    ["firstlight", { serial: null, instanceId: null }],
    ["firstlight,serial=0", { serial: 0, instanceId: null }],
    ["firstlight,serial=1795000000", { serial: 1_795_000_000, instanceId: null }],
    ["firstlight,instance-id=i-1,serial=2", { serial: 2, instanceId: "i-1" }],
    ["firstlight,instance-id=a%2Cb=c", { serial: null, instanceId: "a,b=c" }],
    ["", undefined],
    ["file", undefined],
    ["Firstlight", undefined],
    ["firstlight ", undefined],
    ["firstlight,", undefined],
    ["firstlight,serial", undefined],
    ["firstlight,serial=", undefined],
    ["firstlight,serial=-1", undefined],
    ["firstlight,serial=01", undefined],
    ["firstlight,serial=1e3", undefined],
    ["firstlight,serial=9999999999999999", undefined],
    ["firstlight,serial=1,serial=2", undefined],
    ["firstlight,instance-id=", undefined],
    ["firstlight,instance-id=%", undefined],
    ["firstlight,not-after=2027-01-01", undefined],
  ];
  for (const [namespace, want] of cases) t.same(readNamespace(namespace), want, namespace);
});
