import type { Submit, SubmitAnswer } from "#agent/link/reception.ts";
import { isFault } from "#core/fault.ts";
import { hostClock } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import { courierSocket } from "#provisioner/system/sides/places.ts";

/** Faults with which the root side says no, whatever is tried again. */
const refusals = /^(trust\/|side\/(submit-not-taken|refused|version)$)/;

/**
 * Hands messages from the fleet to the root side, at the courier's door. Throws where there is no
 * answer, and where the root side could not make durable what follows.
 */
export function submitter(io: Io): Submit {
  return async ({ topic, bytes }): Promise<SubmitAnswer> => {
    const { askCourierDoor } = await import("#provisioner/system/sides/connect.ts");
    const address = { path: io.files.hostPath(courierSocket), clock: hostClock };
    const text = Buffer.from(bytes).toString("base64");
    try {
      return (await askCourierDoor(address, {
        kind: "submit",
        topic,
        bytes: text,
      })) as SubmitAnswer;
    } catch (error) {
      if (!isFault(error) || !refusals.test(error.code)) throw error;
      return { kind: "refused", code: error.code, message: error.message };
    }
  };
}
