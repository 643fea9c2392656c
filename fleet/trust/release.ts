import { canonicalJson } from "#core/canonical-json.ts";
import { Fault } from "#core/fault.ts";
import type { Release } from "#generated/protocol/trust/release.ts";
import { validate } from "#generated/protocol/trust/release.validate.js";
import type { Target } from "#generated/protocol/trust/targets.ts";
import { targetOf } from "#protocol/trust/sign/make-metadata.ts";
import { manifestDigest, parseSignedClosure } from "#provisioner/system/fetch/verify-manifest.ts";
import { releaseNamePattern } from "./places.ts";

/** What a release is made from. */
export interface ReleaseContent {
  readonly name: string;
  readonly number: number;
  /** What the nodes render, without a secret. */
  readonly spec?: object | undefined;
  /** A manifest of a built system, as `firstlight closure manifest` makes it. */
  readonly closure?: string | undefined;
  /** In place of the spec's. */
  readonly health?: object | undefined;
  readonly minimumAgent?: string | undefined;
  readonly hardware?: readonly string[] | undefined;
  readonly platforms?: readonly string[] | undefined;
}

/** A release to be signed: its document, and what the image role says of it and of its system. */
export interface MadeRelease {
  readonly path: string;
  readonly target: Target;
  /** The same content gives the same bytes, whoever writes it down. */
  readonly document: string;
  /** The system that the owners vouch for themselves. */
  readonly closure?: { readonly inputDigest: string; readonly target: Target };
}

/** Makes a release. Pure. Throws `signing/release-invalid`, `system/manifest-invalid`. */
export function makeRelease(content: ReleaseContent): MadeRelease {
  const { name, number, spec, health, minimumAgent, hardware, platforms } = content;
  if (!releaseNamePattern.test(name))
    throw invalid(`its name: expected letters, digits and . _ -, got ${JSON.stringify(name)}`);
  if (!Number.isSafeInteger(number) || number < 0)
    throw invalid(`${name}: its number: expected a whole number, got ${number}`);
  if (minimumAgent !== undefined && !/^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$/.test(minimumAgent))
    throw invalid(`${name}: the least firstlight: expected a version such as 0.4.0`);
  const closure = content.closure === undefined ? undefined : readClosure(name, content.closure);
  if (spec === undefined && closure === undefined)
    throw invalid(`${name}: expected a spec, a built system, or both`);
  const document: Release = {
    v: 1,
    name,
    number,
    ...(spec === undefined ? {} : { spec: spec as Record<string, unknown> }),
    ...(closure === undefined ? {} : { closure: closure.said }),
    ...(health === undefined ? {} : { health: health as Record<string, unknown> }),
  };
  if (!validate(document)) throw invalid(`${name}: ${validate.errors?.[0]?.message ?? ""}`);
  const text = canonicalJson(document);
  const custom: NonNullable<Target["custom"]> = {
    number,
    ...(minimumAgent === undefined ? {} : { minimumAgent }),
    ...(hardware === undefined ? {} : { hardware: sorted(hardware) }),
    ...(platforms === undefined ? {} : { platforms: sorted(platforms) }),
  };
  return {
    path: `release/${name}`,
    target: targetOf(text, custom),
    document: text,
    ...(closure === undefined
      ? {}
      : { closure: { inputDigest: closure.inputDigest, target: closure.target } }),
  };
}

function readClosure(name: string, text: string) {
  const { manifest } = parseSignedClosure(text);
  const { inputDigest, toplevel } = manifest;
  if (inputDigest === undefined)
    throw invalid(`${name}: the manifest says no inputDigest`, {
      hint: "make it with `firstlight closure manifest TOPLEVEL --input-digest DIGEST`",
    });
  const target = targetOf(canonicalJson(manifest), { toplevel });
  const said = { toplevel, inputDigest, manifestDigest: manifestDigest(manifest) };
  return { inputDigest, target, said };
}

function sorted(list: readonly string[]): string[] {
  return [...new Set(list)].sort();
}

function invalid(message: string, options: { readonly hint?: string } = {}): Fault {
  return new Fault("signing/release-invalid", message, options);
}
