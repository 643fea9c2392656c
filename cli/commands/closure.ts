import { exitCodes } from "#agent/outcome.ts";
import { prettyJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import { Secret } from "#core/secret.ts";
import { hostCourier } from "#provisioner/system/fetch/host-courier.ts";
import { makeManifest } from "#provisioner/system/fetch/make-manifest.ts";
import { readSecretKey } from "#provisioner/system/fetch/nix-key.ts";
import { addSignature } from "#provisioner/system/fetch/sign-manifest.ts";
import { maxManifestBytes, parseSignedClosure } from "#provisioner/system/fetch/verify-manifest.ts";
import { type Command, type Invocation, textFlag } from "../command.ts";
import { readInput } from "../read-input.ts";

/** `firstlight closure` */
export const command: Command = {
  usage:
    "closure manifest TOPLEVEL [--input-digest DIGEST] [--cache URL] [--sign KEYFILE] | sign FILE --sign KEYFILE",
  summary: "Describe a built system so that nodes can fetch it, and sign that.",
  help: [
    "firstlight closure manifest /nix/store/…-nixos-system-edge --sign fleet-1.secret > edge.json",
    "firstlight closure sign edge.json --sign fleet-2.secret > edge-2.json",
    "",
    "A key is one of Nix: nix-store --generate-binary-cache-key fleet-1 fleet-1.secret fleet-1.public.",
    "DIGEST is that of the sources: without it no node takes the system for its own.",
  ].join("\n"),
  options: {
    "input-digest": { type: "string" },
    cache: { type: "string" },
    sign: { type: "string" },
  },
  arity: [2, 2],
  async run(invocation) {
    const [verb, subject = ""] = invocation.args;
    if (verb !== "manifest" && verb !== "sign") {
      throw new Fault(
        "cli/usage",
        `closure: expected manifest or sign, got ${JSON.stringify(verb)}`,
      );
    }
    const text =
      verb === "manifest" ? await describe(invocation, subject) : await read(invocation, subject);
    const signed = await sign(invocation, text, verb === "sign");
    invocation.out.data(signed.trimEnd());
    return exitCodes.done;
  },
};

async function describe({ io, flags, signal }: Invocation, toplevel: string): Promise<string> {
  const inputDigest = textFlag(flags, "input-digest");
  const cache = textFlag(flags, "cache");
  const manifest = await makeManifest(io, hostCourier(io.files), {
    toplevel,
    signal,
    ...(inputDigest === undefined ? {} : { inputDigest }),
    ...(cache === undefined ? {} : { cache }),
  });
  const text = prettyJson({ manifest, signatures: [] });
  parseSignedClosure(text); // a digest from the command line may be none
  return text;
}

async function read({ signal }: Invocation, file: string): Promise<string> {
  return Buffer.from(await readInput(file, { signal, maxBytes: maxManifestBytes })).toString();
}

async function sign(invocation: Invocation, text: string, must: boolean): Promise<string> {
  const file = textFlag(invocation.flags, "sign");
  if (file === undefined && must)
    throw new Fault("cli/usage", "closure sign: expected --sign KEYFILE");
  if (file === undefined) return text;
  const bytes = await readInput(file, { signal: invocation.signal, maxBytes: 4096 });
  return addSignature(text, readSecretKey(new Secret(Buffer.from(bytes).toString())));
}
