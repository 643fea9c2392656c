import type { FatGeometry } from "./fat-geometry.ts";
import { type Image, malformed } from "./image.ts";

const pageSize = 512;
const maxPages = 256;

/** Follows chains of clusters through the file allocation table. */
export interface FatChains {
  /**
   * Byte offsets of the clusters of a chain from its first, until its end; throws
   * `datasource/malformed` when it leads out of the file system or back to where it was.
   */
  walk(first: number, what: string): Generator<number>;
}

/** Opens the table of a file system; pages of it are kept, a bounded number of them. */
export function openChains(image: Image, geometry: FatGeometry): FatChains {
  const pages = new Map<number, Buffer>();
  const { bits, tableOffset, clusters } = geometry;

  function byte(at: number): number {
    const page = Math.floor(at / pageSize);
    let bytes = pages.get(page);
    if (bytes === undefined) {
      const offset = tableOffset + page * pageSize;
      bytes = image.structure(offset, pageSize, "file allocation table");
      if (pages.size >= maxPages) pages.clear();
      pages.set(page, bytes);
    }
    return bytes.readUInt8(at % pageSize);
  }

  function entry(cluster: number): number {
    if (bits === 12) {
      const at = cluster + (cluster >> 1);
      const pair = byte(at) | (byte(at + 1) << 8);
      return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
    }
    const at = cluster * (bits / 8);
    const low = byte(at) | (byte(at + 1) << 8);
    return bits === 16 ? low : low + (byte(at + 2) << 16) + (byte(at + 3) & 0x0f) * 2 ** 24;
  }

  function check(cluster: number, what: string): void {
    if (cluster < 2 || cluster >= clusters + 2) {
      throw malformed(image.name, what, `its chain leads to cluster ${cluster} of ${clusters}`);
    }
  }

  return {
    *walk(first, what) {
      const endMark = bits === 12 ? 0xff8 : bits === 16 ? 0xfff8 : 0x0ffffff8;
      const seen = new Set<number>();
      for (let cluster = first; cluster < endMark; cluster = entry(cluster)) {
        check(cluster, what);
        if (seen.has(cluster))
          throw malformed(image.name, what, `its chain comes back to cluster ${cluster}`);
        seen.add(cluster);
        yield geometry.dataOffset + (cluster - 2) * geometry.clusterSize;
      }
    },
  };
}
