import { oneAtATime } from "#agent/one-at-a-time.ts";
import { exitCodes } from "#agent/outcome.ts";
import { parseDuration } from "#core/duration.ts";
import { Fault } from "#core/fault.ts";
import { openDriver } from "#provisioner/system/driver.ts";
import { courierDoor } from "#provisioner/system/sides/courier-door.ts";
import type { Door } from "#provisioner/system/sides/door.ts";
import { type DoorName, listenAtDoors } from "#provisioner/system/sides/listen.ts";
import { operatorDoor } from "#provisioner/system/sides/operator-door.ts";
import { outsideOfSandbox } from "#provisioner/system/sides/outside.ts";
import { serveSides } from "#provisioner/system/sides/serve.ts";
import { type Command, textFlag } from "../command.ts";
import { driverOf, systemOptions } from "../node.ts";
import { receiveSigned } from "../receive-signed.ts";
import { openInProcess } from "../sides.ts";

/** Long enough for the next request of a boot, short enough to cost no memory between changes. */
const defaultIdle = "15s";

/** `firstlight system` */
export const command: Command = {
  usage: "system [--idle 15s] [--sandboxed] [--root DIR] [--driver nix|dry]",
  summary:
    "Be the root side: build, activate and keep the journal for whoever may ask at its sockets.",
  help: "Started by systemd at the first request, and ends when nobody has asked for a while. Without\nsystemd it makes /run/firstlight/system.sock (root) and courier.sock (group firstlight) itself.\nWith --sandboxed what needs the machine itself is run by systemd, outside of this unit's sandbox.",
  options: {
    driver: systemOptions.driver,
    idle: { type: "string" },
    sandboxed: { type: "boolean" },
  },
  arity: [0, 0],
  async run(invocation) {
    const { io, log, flags, signal } = invocation;
    const idleMs = parseDuration(textFlag(flags, "idle") ?? defaultIdle);
    if (idleMs === undefined) {
      throw new Fault("cli/usage", "--idle: expected a duration such as 15s");
    }
    const driver = driverOf(invocation);
    const machine = flags["sandboxed"] === true ? outsideOfSandbox(io) : io;
    const doors: Readonly<Record<DoorName, Door>> = {
      operator: operatorDoor(() => openInProcess({ io: machine, log, driver })), // its settings are read anew
      courier: courierDoor(
        () => openDriver(io, { driver }),
        oneAtATime((submission) => receiveSigned(submission, { io, log })),
      ),
    };
    const servers = await listenAtDoors(io);
    log.info("system.listening", { doors: [...servers.keys()].join(" "), idleMs });
    const open = [...servers].map(([name, server]) => ({ door: doors[name], server }));
    const ended = await serveSides({ doors: open, clock: io.clock, log, idleMs, signal });
    log.info("system.ended", { why: ended });
    return exitCodes.done;
  },
};
