import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { Fault } from "#core/fault.ts";
import { decodeBase64 } from "../base64.ts";
import type { Line } from "../metadata/line.ts";
import type { LineTalk } from "../metadata/service.ts";

/** What a host has said to somebody before us, at most. */
const mostOldLines = 20;
const frame =
  /^V2 (\d{1,9}) ([0-9a-f]{8}) (([0-9a-f]{8}) (SUCCESS|NOTFOUND)(?: ([A-Za-z0-9+/=]*))?)$/;

/**
 * Version 2 of the metadata protocol of SmartOS (https://eng.tritondatacenter.com/mdata/protocol.html):
 * frames with their length, a checksum and the number of the question. Over a serial port whatever was
 * said before is read away first.
 */
export async function speakSmartOs(line: Line): Promise<LineTalk> {
  if (line.isSerial) await readAway(line);
  await line.write("NEGOTIATE V2\n");
  const answer = await line.readLine();
  if (answer !== "V2_OK") throw malformed("version 2 was asked for, another answer came");
  return {
    async get(key) {
      const id = randomBytes(4).toString("hex");
      await line.write(frameOf(`${id} GET ${Buffer.from(key).toString("base64")}`));
      return valueIn(await line.readLine(), id);
    },
  };
}

/** A frame as it goes over the line. */
export function frameOf(body: string): string {
  return `V2 ${body.length} ${checksum(body)} ${body}\n`;
}

async function readAway(line: Line): Promise<void> {
  await line.write("\n");
  for (let lines = 0; lines < mostOldLines; lines++) {
    const said = await line.readLine();
    if (said === "invalid command") return;
    if (said === "FAILURE") await line.write("\n");
  }
  throw malformed("the end of what was said before was expected, more came");
}

function valueIn(answer: string, id: string): Uint8Array | undefined {
  const [, length, sum, body = "", about, status, payload = ""] = frame.exec(answer) ?? [];
  if (status === undefined) throw malformed("a frame was expected, another text came");
  if (Number(length) !== body.length || sum !== checksum(body))
    throw malformed("a frame came whose length or checksum is wrong");
  if (about !== id) throw malformed("the answer to another question came");
  if (status === "NOTFOUND") return undefined;
  const value = decodeBase64(payload);
  if (value === undefined) throw malformed("base64 was expected, another text came");
  return value;
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}

function malformed(problem: string): Fault {
  return new Fault("datasource/malformed", `metadata of SmartOS: ${problem}`);
}
