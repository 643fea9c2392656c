import { fileURLToPath } from "node:url";
import type { Files } from "#core/io.ts";
import type { Courier, CourierAnswer, CourierRequest } from "./courier.ts";

const chunkBytes = 1024 * 1024;
const connectMs = 15_000;

/** A courier of this process: http and https by got, file from the machine's own files. */
export function hostCourier(files: Files): Courier {
  return {
    open: (request) =>
      request.url.startsWith("file:") ? openFile(files, request) : openHttp(request),
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

async function openHttp(request: CourierRequest): Promise<CourierAnswer> {
  const { url, offset, answerMs, signal } = request;
  const { default: got } = await import("got");
  const stream = got.stream(url, {
    timeout: {
      lookup: connectMs,
      connect: connectMs,
      secureConnect: connectMs,
      response: answerMs,
    },
    retry: { limit: 0 }, // who tries again, and where, is decided above
    maxRedirects: 5,
    throwHttpErrors: false,
    decompress: false,
    headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
    signal,
  });
  const close = () => void stream.destroy();
  const status = await new Promise<{ readonly code: number; readonly range: string | undefined }>(
    (resolve, reject) => {
      stream.once("error", reject);
      stream.once("response", (response: Response) =>
        resolve({ code: response.statusCode, range: response.headers["content-range"] }),
      );
    },
  );
  stream.on("error", () => {}); // told to whoever reads the body
  return { status: status.code, offset: firstByte(status.range), body: stream, close };
}

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Of `bytes 100-199/200`; what is no part begins at the beginning. */
function firstByte(contentRange: string | undefined): number {
  return Number(/^bytes (\d{1,15})-/.exec(contentRange ?? "")?.[1] ?? 0);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
