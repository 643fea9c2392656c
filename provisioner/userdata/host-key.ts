/** Kinds of host keys that sshd has, each with how the type of a key of it begins. */
const kinds = { rsa: "ssh-rsa", ecdsa: "ecdsa-sha2-", ed25519: "ssh-ed25519" } as const;

export type HostKeyKind = keyof typeof kinds;

export const hostKeyKinds = Object.keys(kinds) as readonly HostKeyKind[];

export function isHostKeyKind(text: string): text is HostKeyKind {
  return Object.hasOwn(kinds, text);
}

const magic = "openssh-key-v1\0";
/** What a text is instead of a private key that sshd starts with; `undefined` where it is one. What OpenSSH itself writes is looked into. */
export function faultOfPrivateKey(text: string, kind: HostKeyKind): string | undefined {
  const [first = "", ...lines] = text.trim().split(/\r?\n/);
  const last = lines.pop();
  const form = /^-----BEGIN ([A-Z ]*)PRIVATE KEY-----$/.exec(first)?.[1];
  if (form === undefined || lines.length === 0 || last !== `-----END ${form}PRIVATE KEY-----`) {
    return "something that does not begin and end as one";
  }
  const isLocked = form === "ENCRYPTED " || lines.some((line) => line.startsWith("DEK-Info:"));
  if (isLocked) return "one with a passphrase";
  return form === "OPENSSH " ? faultOfOpenssh(lines.join(""), kind) : undefined;
}

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function faultOfOpenssh(body: string, kind: HostKeyKind): string | undefined {
  const bytes = Buffer.from(body, "base64");
  if (bytes.subarray(0, magic.length).toString("latin1") !== magic)
    return "one that was cut or changed";
  const cipher = stringAt(bytes, magic.length);
  const derivation = stringAt(bytes, cipher.end);
  const options = stringAt(bytes, derivation.end);
  if (cipher.text !== "none") return "one with a passphrase";
  const publicKey = stringAt(bytes, options.end + 4);
  const type = stringAt(bytes, options.end + 8).text;
  const privatePart = stringAt(bytes, publicKey.end);
  if (privatePart.end > bytes.length || privatePart.text === "")
    return "one that was cut or changed";
  return type.startsWith(kinds[kind]) ? undefined : `one of the type ${shown(type)}`;
}

function stringAt(bytes: Buffer, at: number): { readonly text: string; readonly end: number } {
  const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
  const end = at + 4 + length;
  return { text: bytes.subarray(at + 4, end).toString("latin1"), end };
}

function shown(type: string): string {
  return /^[a-z0-9@.-]{1,40}$/.test(type) ? type : "something else";
}
