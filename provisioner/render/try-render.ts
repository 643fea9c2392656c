import { sha256 } from "#core/canonical-json.ts";
import { hostFiles } from "#core/host-files.ts";
import type { Facts } from "#generated/provisioner/facts/facts.ts";
import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { validate } from "#generated/templates/docker-host/schema.validate.js";
import { genericFacts } from "#provisioner/facts/generic-facts.ts";
import { holdToOptions } from "#provisioner/nixos-options/rendered.ts";
import { type Match, type ProfileSet, profileSet } from "#provisioner/profiles/profile.ts";
import type { Origin } from "#provisioner/userdata/translation.ts";
import type { Base, CredentialFile } from "./base.ts";
import { loadTemplates } from "./load-templates.ts";
import type { MetadataPlace } from "./metadata-service.ts";
import { type RenderResult, render } from "./render.ts";
import type { CheckParameters } from "./templates.ts";

/** Parts of a rendering that a test is about; everything else is as little as can be. */
export interface TryOptions {
  readonly base?: Partial<Base>;
  readonly facts?: Facts;
  readonly match?: Match;
  readonly profiles?: ProfileSet;
  readonly credentials?: ReadonlyMap<string, CredentialFile>;
  readonly origins?: ReadonlyMap<string, Origin>;
  readonly instanceId?: string;
  readonly metadataService?: MetadataPlace | null;
  /** Default: every template has the parameters of docker-host. */
  readonly checkParameters?: CheckParameters;
  /** Whether it sets options that NixOS does not have, on purpose. */
  readonly anyOption?: true;
}

/** A base with nothing on it: a new machine, no pins. */
export const plainBase: Base = {
  kind: "platform",
  files: [],
  platform: null,
  pins: {},
  stateVersion: "25.11",
  mutableUsers: null,
  settings: {},
  local: null,
  agentModule: [],
};

/** A virtual machine of 8 GiB. */
export const plainFacts: Facts = {
  ...genericFacts("x86_64"),
  memoryBytes: 8 * 1024 ** 3,
  virtualisation: "kvm",
};

const noProfiles = profileSet([]);

/** What a machine matches when there are no profiles. */
export const noMatch: Match = {
  profile: null,
  confidence: "none",
  applied: null,
  components: [],
};

/** The templates that ship. */
export const shippedTemplates = loadTemplates(
  hostFiles(new URL("../..", import.meta.url).pathname, () => {}),
  "/templates",
);

const checkAsDockerHost: CheckParameters = (_template, parameters) =>
  validate(parameters)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => ({
        path: instancePath.split("/").slice(1),
        message: message ?? "does not fit",
      }));

/** Credential files for every secret that the spec names. */
export function credentialsOf(spec: Spec, encrypted = true): ReadonlyMap<string, CredentialFile> {
  const found = new Map<string, CredentialFile>();
  JSON.stringify(spec, (key, value: unknown) => {
    if (key === "secretRef" && typeof value === "string") {
      const version = sha256(value).slice(0, 16);
      const file = `${value}@0123456789abcdef`;
      found.set(value, { name: value, file, version, encrypted, bytes: 64 });
    }
    return value;
  });
  return found;
}

/**
 * Renders for a test. What is fit to be built is held against the options of NixOS: throws where it
 * sets one that is none, or to a value of another kind.
 */
export function tryRender(spec: Omit<Spec, "version">, options: TryOptions = {}): RenderResult {
  const whole: Spec = { ...spec, version: 1 };
  const result = render({
    spec: whole,
    facts: options.facts ?? plainFacts,
    match: options.match ?? noMatch,
    profiles: options.profiles ?? noProfiles,
    base: { ...plainBase, ...options.base },
    templates: shippedTemplates,
    checkParameters: options.checkParameters ?? checkAsDockerHost,
    credentials: options.credentials ?? credentialsOf(whole),
    origins: options.origins ?? new Map(),
    instanceId: options.instanceId ?? "i-0001",
    metadataService: options.metadataService,
  });
  const isFit = !result.findings.some(({ level }) => level === "error");
  if (isFit && options.anyOption !== true) holdToOptions(result.sources.files);
  return result;
}

/** Text of a rendered file; the empty text where there is none. */
export function fileOf({ sources }: RenderResult, path: string): string {
  return sources.files.find((file) => file.path === path)?.content ?? "";
}
