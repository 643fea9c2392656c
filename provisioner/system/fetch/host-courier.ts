import { fileURLToPath } from "node:url";
import type { Files } from "#core/io.ts";
import type { Courier, CourierAnswer, CourierRequest } from "./courier.ts";
import { httpCourier } from "./http-courier.ts";

const chunkBytes = 1024 * 1024;

/** A courier that reads file: from the machine's own files; `network` has all the rest. */
export function hostCourier(files: Files, network: Courier = httpCourier): Courier {
  return {
    open: (request) =>
      request.url.startsWith("file:") ? openFile(files, request) : network.open(request),
  };
}

async function openFile(files: Files, { url, offset }: CourierRequest): Promise<CourierAnswer> {
  const path = fileURLToPath(url);
  if (files.stat(path) === undefined) {
    return { status: 404, offset: 0, body: nothing(), close: () => {} };
  }
  const file = files.open(path);
  const start = offset <= file.size ? offset : 0;
  return { status: 200, offset: start, body: chunksOf(file, start), close: () => {} };
}

async function* chunksOf(
  file: ReturnType<Files["open"]>,
  start: number,
): AsyncGenerator<Uint8Array> {
  try {
    for (let at = start; at < file.size; at += chunkBytes) yield file.read(at, chunkBytes);
  } finally {
    file.close();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
