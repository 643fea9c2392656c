import type { DatasourceContent } from "#agent/datasources/datasource.ts";
import { readCommitted } from "#agent/update/kept-release.ts";
import { type ReleaseDocument, withRelease } from "#agent/update/release-content.ts";
import type { Io } from "#core/io.ts";

/**
 * What a datasource says, with a release of the fleet in place of its user-data: the one that is asked for,
 * else the one that was committed last; as it is where there is neither.
 */
export async function releasedContent(
  io: Io,
  content: DatasourceContent,
  wanted?: ReleaseDocument,
): Promise<DatasourceContent> {
  const release = wanted ?? readCommitted(io.files);
  return release === undefined ? content : withRelease(content, release);
}
