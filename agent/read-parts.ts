import { adviceOf } from "#core/advice.ts";
import { sha256 } from "#core/canonical-json.ts";
import type { Finding } from "#core/finding.ts";
import type { Clock } from "#core/io.ts";
import type { TemplatePart, WantedInclude } from "#provisioner/userdata/parts/part.ts";
import { splitUserData } from "#provisioner/userdata/parts/split.ts";
import { signedTemplate } from "#provisioner/userdata/signed/signed-template.ts";
import type { Documents } from "#provisioner/userdata/translate.ts";
import type { RawDocument } from "#provisioner/userdata/translation.ts";
import { softenVendorFinding } from "#provisioner/userdata/vendor-data.ts";
import type { Instance } from "./datasources/datasource.ts";
import type { KeepAccepted } from "./keep-accepted.ts";
import { limitsReached, ReadingLimits } from "./reading-limits.ts";
import { type RenderTemplate, renderPart } from "./render-documents.ts";

/** Documents in documents, and templates in each: beyond that nothing new can be named. */
const maxRounds = 24;

/** How addresses are read. */
export interface FetchHow {
  /** Takes what is to be kept on the disk of what was read; it is done at once when absent. */
  readonly keep?: KeepAccepted["keep"] | undefined;
  /** What is left for these and others together; each address has limits of its own beside. */
  readonly limits?: ReadingLimits;
}

/** Reads addresses that documents name; absent ones could not be read. */
export type FetchSources = (
  urls: readonly string[],
  how?: FetchHow,
) => Promise<ReadonlyMap<string, Uint8Array>>;

/** What was included once for this instance, and is not read again. */
export interface KeptIncludes {
  read(address: string): Promise<Uint8Array | undefined>;
  keep(address: string, bytes: Uint8Array): Promise<void>;
}

/** What reading parts of documents takes. */
export interface ReadPartsTools {
  readonly fetchSources: FetchSources;
  /** Ends what takes too long in all; without it only each address and template has an end. */
  readonly clock?: Clock;
  /** Without it a template is a format that is not read. */
  readonly renderTemplate?: RenderTemplate;
  /** Whether somebody signed the user-data: then nothing of it may be a template. */
  readonly isSigned?: boolean;
  /** Without it what is to be included once is read each time. */
  readonly keptIncludes?: ((instanceId: string) => KeptIncludes) | undefined;
}

/** Everything that documents name and that templates come to. */
export interface KnownParts {
  /** By address. */
  readonly fetched: Map<string, Uint8Array>;
  /** By template; `null` where one cannot be rendered. */
  readonly rendered: Map<string, string | null>;
  /** What templates came to: of a whole document by its name, else by the digest of the template. */
  readonly renderedBytes: Map<string, Uint8Array>;
  /** Addresses that signed user-data includes, or what it includes. */
  readonly signedAddresses: ReadonlySet<string>;
  /** Whether a part is for one of the machines that were started together. */
  readonly isByLaunchIndex: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Reads what user-data and vendor-data include, and renders their templates, also where one is in the
 * other. What cannot be read is left out: the translation makes an error of it.
 */
export async function readParts(
  documents: Documents,
  instance: Instance,
  tools: ReadPartsTools,
): Promise<KnownParts> {
  const reading = new PartsReading(instance, tools);
  const { isSigned = false } = tools;
  await reading.read(documents.userData, { weigh: (finding) => finding, isSigned });
  await reading.read(documents.vendorData, { weigh: softenVendorFinding });
  await reading.read(documents.vendorData2, { weigh: softenVendorFinding });
  return reading;
}

interface ReadingOf {
  readonly weigh: (finding: Finding) => Finding;
  readonly isSigned?: boolean;
}

class PartsReading implements KnownParts {
  readonly fetched = new Map<string, Uint8Array>();
  readonly rendered = new Map<string, string | null>();
  readonly renderedBytes = new Map<string, Uint8Array>();
  readonly signedAddresses = new Set<string>();
  isByLaunchIndex = false;
  readonly findings: Finding[] = [];
  readonly #instance: Instance;
  readonly #tools: ReadPartsTools;
  readonly #limits: ReadingLimits;
  /** Addresses that were read, or could not be. */
  readonly #tried = new Set<string>();

  constructor(instance: Instance, tools: ReadPartsTools) {
    this.#instance = instance;
    this.#limits = new ReadingLimits(tools.clock);
    const { renderTemplate } = tools;
    this.#tools =
      renderTemplate === undefined
        ? tools
        : { ...tools, renderTemplate: limitedRenderer(renderTemplate, this.#limits) };
  }

  async read(raw: RawDocument | undefined, how: ReadingOf): Promise<void> {
    if (raw === undefined) return;
    let isSaid = false;
    for (let round = 0; round < maxRounds; round++) {
      const { fetched, rendered } = this;
      const { isSigned = false } = how;
      const split = splitUserData(raw, { fetched, rendered, isSigned });
      const { includes, templates } = split;
      if (split.isByLaunchIndex) this.isByLaunchIndex = true;
      for (const { address } of isSigned ? includes : []) this.signedAddresses.add(address);
      const wanted = includes.filter(({ address }) => !this.#tried.has(address));
      const open = this.#tools.renderTemplate === undefined ? [] : templates;
      if (wanted.length === 0 && open.length === 0) return;
      await this.#fetch(wanted);
      let beyond: TemplatePart | undefined;
      for (const template of open) {
        if (isSigned) this.#refuse(template);
        else if (this.rendered.has(template.template)) continue;
        else if (this.#limits.takeTemplate())
          await this.#render(template, { weigh: how.weigh, whole: raw.document });
        else {
          beyond ??= template;
          this.rendered.set(template.template, null);
        }
      }
      if (this.#limits.reached === undefined || isSaid) continue;
      isSaid = true;
      this.findings.push(how.weigh(limitFinding(this.#limits.reached, beyond ?? raw)));
    }
  }

  async #fetch(wanted: readonly WantedInclude[]): Promise<void> {
    const { fetchSources, keptIncludes } = this.#tools;
    const kept = keptIncludes?.(this.#instance.instanceId);
    const once = new Set(wanted.filter(({ isOnce }) => isOnce).map(({ address }) => address));
    for (const { address } of wanted) this.#tried.add(address);
    for (const address of once) {
      if (!this.#limits.goesOn()) return;
      const bytes = await kept?.read(address);
      if (bytes === undefined) continue;
      if (this.#limits.takeBytes(bytes.length)) this.fetched.set(address, bytes);
    }
    const addresses = new Set(wanted.map(({ address }) => address));
    const missing = [...addresses].filter((address) => !this.fetched.has(address));
    if (missing.length === 0 || !this.#limits.goesOn()) return;
    for (const [address, bytes] of await fetchSources(missing, { limits: this.#limits })) {
      this.fetched.set(address, bytes);
      if (once.has(address)) await kept?.keep(address, bytes);
    }
    if (missing.some((address) => !this.fetched.has(address))) this.#limits.goesOn();
  }

  #refuse({ template, document, firstLine }: TemplatePart): void {
    if (this.rendered.has(template)) return;
    this.rendered.set(template, null);
    this.findings.push(signedTemplate(document, firstLine - 1));
  }

  async #render(
    part: TemplatePart,
    { weigh, whole }: Pick<ReadingOf, "weigh"> & { readonly whole: string },
  ): Promise<void> {
    const { renderTemplate } = this.#tools;
    if (renderTemplate === undefined || this.rendered.has(part.template)) return;
    const { text, findings } = await renderPart(part, (template) =>
      renderTemplate(template, this.#instance),
    );
    this.rendered.set(part.template, text);
    const { document, template } = part;
    const key = document === whole ? document : `template:${sha256(template)}`;
    if (text !== null) this.renderedBytes.set(key, Buffer.from(text, "utf8"));
    this.findings.push(...findings.map(weigh));
  }
}

/** Renders as long as there is room for what comes of it. */
function limitedRenderer(renderTemplate: RenderTemplate, limits: ReadingLimits): RenderTemplate {
  return async (template, instance) => {
    const answer = await renderTemplate(template, instance);
    if ("problem" in answer || limits.takeBytes(Buffer.byteLength(answer.text))) return answer;
    return { kind: "limits", problem: limitsReached.bytes };
  };
}

/** What to say where a limit ended the reading: of the first template beyond, else of the document. */
function limitFinding(
  reached: keyof typeof limitsReached,
  at: TemplatePart | RawDocument,
): Finding {
  const code = "user-data/parts-limit";
  const line = "template" in at ? at.firstLine - 1 : 1;
  const place = { document: at.document, path: "", line, column: 1 };
  const message = limitsReached[reached];
  return { ...place, level: "error", code, message, hint: adviceOf({ code, hint: null }) };
}
