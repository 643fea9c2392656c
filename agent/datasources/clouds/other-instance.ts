import type { AnswerReader } from "../cloud.ts";

/** What a service and the firmware call the same thing. */
interface Named {
  /** What it is: `uuid`. */
  readonly what: string;
  readonly said: string;
  readonly ofFirmware: string;
}

/**
 * Tells that a service speaks of another instance than the firmware: a neighbour of the same network can
 * answer at a link-local address. A warning only, because the firmware is the hypervisor's to choose.
 */
export function tellOfOther(answers: AnswerReader, path: string, named: Named): void {
  const { what, said, ofFirmware } = named;
  answers.find(path, {
    ...{ level: "warning", code: "datasource/other-instance" },
    message: `the ${what} is ${said}, that of the firmware is ${ofFirmware}`,
    hint: "look who answers at this address: it may be a neighbour in the place of the service",
  });
}
