import type { Received } from "./broker.ts";

/** What the demo promises, and whether it happened. */
export interface Check {
  readonly what: string;
  readonly holds: boolean;
}

/** Told once a machine; the boots are told each by itself. */
const states = ["status", "about", "reported"] as const;

/**
 * What the broker received of each machine, held against how its boots ended, in their order: none may
 * be missing, none may be there that was not played.
 */
export function judgeReports(
  received: readonly Received[],
  played: ReadonlyMap<string, readonly string[]>,
): readonly Check[] {
  return [...played].flatMap(([name, ends]) => {
    const own = received.filter(({ topic }) => topic.startsWith(`i-${name}/`));
    const told = own.flatMap((message) =>
      message.topic === `i-${name}/event/boot.finished` ? [endOf(message)] : [],
    );
    // An event may come twice, and has its number then.
    const outcomes = [...new Map(told.map(({ seq, outcome }) => [seq, outcome])).entries()]
      .sort(([one], [other]) => one - other)
      .map(([, outcome]) => outcome);
    return [
      ...states.map((topic) => ({
        what: `${name}: ${topic} was reported`,
        holds: own.some((message) => message.topic === `i-${name}/${topic}`),
      })),
      {
        what: `${name}: every boot was reported (${ends.join(", ")})`,
        holds: ends.length > 0 && outcomes.join() === ends.join(),
      },
    ];
  });
}

function endOf({ payload }: Received): { readonly seq: number; readonly outcome: string } {
  const { seq, body } = payload as {
    readonly seq?: number;
    readonly body?: { readonly outcome?: string };
  };
  return { seq: seq ?? 0, outcome: body?.outcome ?? "" };
}
