import { Fault } from "#core/fault.ts";
import type { Clock } from "#core/io.ts";
import type { Session } from "./client.ts";
import type { LinkSettings } from "./link-settings.ts";
import type { Outbox } from "./outbox.ts";
import type { SessionMessages } from "./session-messages.ts";

/** What sends the outbox over one session. */
export interface SenderOptions {
  readonly clock: Clock;
  readonly session: Pick<Session, "publish" | "receiveMaximum">;
  readonly outbox: Outbox;
  readonly messages: Pick<SessionMessages, "event">;
  readonly settings: Pick<LinkSettings, "acknowledge" | "limits">;
}

export interface Sender {
  /**
   * Sends the events that this session has not sent, in order; how many. An event leaves the outbox
   * by the broker's PUBACK or by the server's ack, as the settings say. In the second case only so
   * many are sent ahead of the acks: call again at each ack, and from time to time, because after a
   * long silence what was not acknowledged is sent again. Throws what publishing throws.
   */
  drain(): Promise<number>;
}

/** A sender for one session: it begins at the last acknowledged event. */
export function sender({ clock, session, outbox, messages, settings }: SenderOptions): Sender {
  const stream = outbox.stream();
  const window = Math.max(1, Math.min(settings.limits.window, session.receiveMaximum));
  const silence =
    settings.acknowledge === "server" ? watchSilence(clock, settings.limits) : undefined;
  let sentUpTo = outbox.acknowledged();

  /** How many may be sent now. */
  const room = (acknowledged: number) =>
    silence === undefined
      ? window
      : Math.min(window, settings.limits.serverWindow - Math.max(0, sentUpTo - acknowledged));

  return {
    async drain() {
      if (outbox.stream() !== stream) throw new Fault("link/lost", "the outbox was begun anew");
      for (let sent = 0; ; ) {
        const acknowledged = outbox.acknowledged();
        if (silence?.isTooLong(acknowledged, sentUpTo) === true) sentUpTo = acknowledged;
        const batch = outbox.pending(sentUpTo, Math.max(0, room(acknowledged)));
        const last = batch.at(-1);
        if (last === undefined) return sent;
        await Promise.all(batch.map((event) => session.publish(messages.event(event))));
        sentUpTo = last.seq;
        sent += batch.length;
        if (settings.acknowledge === "broker") outbox.acknowledge(sentUpTo);
      }
    },
  };
}

/** Says when the server has been silent for too long about what was sent; each time in a row the patience doubles. */
function watchSilence(clock: Clock, limits: LinkSettings["limits"]) {
  let acknowledged = 0;
  let sinceMs = clock.monotonicMs();
  let patienceMs = limits.resendAfterMs;
  return {
    isTooLong(nowAcknowledged: number, sentUpTo: number): boolean {
      const nowMs = clock.monotonicMs();
      if (nowAcknowledged !== acknowledged || sentUpTo <= nowAcknowledged) {
        acknowledged = nowAcknowledged;
        sinceMs = nowMs;
        patienceMs = limits.resendAfterMs;
        return false;
      }
      if (nowMs - sinceMs < patienceMs) return false;
      sinceMs = nowMs;
      patienceMs = Math.min(patienceMs * 2, limits.resendMostMs);
      return true;
    },
  };
}
