import { printable } from "#core/printable.ts";
import type { SystemEvent } from "#provisioner/system/system.ts";
import { type BuildView, tellLines } from "./build-lines.ts";
import { type BuildPicture, newPicture, nextPicture } from "./build-picture.ts";
import type { Invocation, LiveArea } from "./command.ts";
import { drawBuild, nameOf } from "./draw-build.ts";

const redrawMs = 1_000;
const leastPauseMs = 100;
const mostRows = 24;

/**
 * Tells what the system does: a build as a picture at the end of a terminal, one line an event
 * elsewhere; commands and Nix's own lines with `--verbose`.
 */
export function progress(invocation: Invocation): (event: SystemEvent) => void {
  const { out, log, flags, json } = invocation;
  const isVerbose = flags["verbose"] === true;
  const live = json || flags["quiet"] === true || isVerbose ? undefined : out.live;
  const picture = live === undefined ? tellLines(invocation) : drawPicture(invocation, live);
  return (event) => {
    switch (event.type) {
      case "command":
        if (!event.run) out.talk(`would run: ${event.argv.map(word).join(" ")}`);
        else if (isVerbose) out.talk(`runs: ${event.argv.map(word).join(" ")}`);
        break;
      case "build-log":
        if (isVerbose) out.talk(logLine(event));
        break;
      case "step":
        log.debug(`system.${event.step}.${event.state}`, { ms: event.ms });
        if (event.step === "build" && event.state !== "started") picture.end();
        break;
      case "fetch":
        if (event.fault !== null)
          out.talk(printable(`${event.cache}: ${event.path}: ${event.fault.message}`));
        else if (isVerbose) out.talk(`${event.cache}: ${event.path}`);
        break;
      case "fetch-progress":
        log.debug("system.fetch", { doneBytes: event.doneBytes, totalBytes: event.totalBytes });
        break;
      case "warning":
        log.warning("system.warning", { code: event.code, message: printable(event.message) });
        break;
      case "builders":
        if (event.builders === "children") break;
        log.info("system.builders", { builders: event.builders, limits: "do not reach them" });
        break;
      case "build":
        picture.saw(event.activity);
    }
  };
}

function drawPicture({ io }: Invocation, live: LiveArea): BuildView {
  let picture: BuildPicture | undefined;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const draw = () => {
    if (picture === undefined) return;
    drawnMs = io.clock.monotonicMs();
    const rows = Math.max(2, Math.min(live.rows() - 2, mostRows));
    live.show(drawBuild(picture, { nowMs: drawnMs, rows, isUnicode: live.isUnicode }));
  };
  return {
    saw(activity) {
      const now = io.clock.monotonicMs();
      picture = nextPicture(picture ?? newPicture(now), activity, now);
      // Something that takes long must not look dead.
      timer ??= setInterval(draw, redrawMs).unref();
      if (now - drawnMs >= leastPauseMs) draw();
    },
    end() {
      clearInterval(timer);
      timer = undefined;
      picture = undefined;
      live.show([]);
    },
  };
}

function logLine({ line, derivation }: Extract<SystemEvent, { type: "build-log" }>): string {
  return printable(derivation === null ? line : `${nameOf(derivation)}> ${line}`);
}

function word(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
