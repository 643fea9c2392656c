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
   * Sends every event that this session has not sent, in order; how many. An event leaves the outbox
   * by the broker's PUBACK or by the server's ack, as the settings say. Throws what publishing throws.
   */
  drain(): Promise<number>;
}

/** With no ack from the server for so long, what it has not acknowledged is sent again. */
const resendAfterMs = 5 * 60_000;

/** A sender for one session: it begins at the last acknowledged event. */
export function sender({ clock, session, outbox, messages, settings }: SenderOptions): Sender {
  const stream = outbox.stream();
  const window = Math.max(1, Math.min(settings.limits.window, session.receiveMaximum));
  let sentUpTo = outbox.acknowledged();
  let acknowledged = sentUpTo;
  let progressMs = clock.monotonicMs();

  /** Goes back to what the server has not acknowledged when it has been silent for too long. */
  const reconsider = () => {
    const now = outbox.acknowledged();
    if (now !== acknowledged || sentUpTo <= now) {
      acknowledged = now;
      progressMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - progressMs >= resendAfterMs) {
      sentUpTo = now;
      progressMs = clock.monotonicMs();
    }
  };

  return {
    async drain() {
      if (outbox.stream() !== stream) throw new Fault("link/lost", "the outbox was begun anew");
      if (settings.acknowledge === "server") reconsider();
      for (let sent = 0; ; ) {
        const batch = outbox.pending(sentUpTo, window);
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
