import { prettyJson } from "#core/canonical-json.ts";
import { Secret } from "#core/secret.ts";
import { type DatasourceContent, rawDocuments } from "../datasources/datasource.ts";
import { parseRelease, readReleasedHealth } from "./assignment.ts";
import type { ReleaseName } from "./update-state.ts";

/** A release with the text of its document. */
export interface ReleaseDocument {
  readonly release: ReleaseName;
  readonly document: string;
}

/**
 * What a datasource says with a release in place of its user-data: instance, network, keys and vendor-data
 * stay as they are, below what the release says. Of a release that is a built system and nothing else no
 * document counts. Throws `update/release-invalid`.
 */
export async function withRelease(
  content: DatasourceContent,
  { release, document }: ReleaseDocument,
): Promise<DatasourceContent> {
  const { path, name, sha256 } = release;
  const parsed = await parseRelease(document, path);
  const { spec = {}, health, closure } = parsed;
  if (parsed.spec === undefined && closure !== undefined) {
    const releasedSystem = {
      release: { name, sha256 },
      closure,
      health: await readReleasedHealth(parsed),
    };
    return { ...content, instance: { ...content.instance, userData: null }, releasedSystem };
  }
  const whole = health === undefined ? spec : { ...spec, health };
  const text = new Secret<Uint8Array>(Buffer.from(`#firstlight\n${prettyJson(whole)}`));
  return {
    ...content,
    instance: { ...content.instance, userData: { secretRef: rawDocuments.userData } },
    secrets: new Map([...content.secrets, [rawDocuments.userData, text]]),
    userData: { document: path },
    release: { name, sha256 },
  };
}
