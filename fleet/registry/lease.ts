import type { Transaction } from "kysely";
import { Fault } from "#core/fault.ts";
import type { RegistryDatabase } from "./open-database.ts";
import type { Tables } from "./tables.ts";

/** The right of one server among several to do a work, for a time. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /** Of this holding; whoever takes over has a higher one. */
  readonly token: number;
  readonly untilMs: number;
}

/**
 * Takes the lease, or makes one's own longer; `undefined` while another server has it. All times are those
 * of the database, so that the clocks of the servers may differ.
 */
export async function acquireLease(
  database: RegistryDatabase,
  {
    name,
    holder,
    forMs,
  }: { readonly name: string; readonly holder: string; readonly forMs: number },
): Promise<Lease | undefined> {
  const nowMs = await database.now();
  const untilMs = nowMs + forMs;
  return database.transaction(async (transaction) => {
    await transaction
      .insertInto("lease")
      .values({ name, holder: "", token: 0, until_ms: 0 })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const taken = await transaction
      .updateTable("lease")
      .set((of) => ({
        holder,
        until_ms: untilMs,
        token: of
          .case()
          .when("holder", "=", holder)
          .then(of.ref("token"))
          .else(of("token", "+", 1))
          .end(),
      }))
      .where("name", "=", name)
      .where((of) => of.or([of("holder", "=", holder), of("until_ms", "<=", nowMs)]))
      .returning("token")
      .executeTakeFirst();
    return taken === undefined ? undefined : { name, holder, token: taken.token, untilMs };
  });
}

/** Gives a lease back, so that another server need not wait for its end. */
export async function releaseLease(
  database: RegistryDatabase,
  { name, token }: Lease,
): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction
      .updateTable("lease")
      .set({ holder: "", until_ms: 0 })
      .where("name", "=", name)
      .where("token", "=", token)
      .execute();
  });
}

/**
 * Makes sure, in the transaction that writes, that nobody has taken over; nobody can before it ends.
 * Throws `registry/lease-lost`.
 */
export async function requireLease(
  transaction: Transaction<Tables>,
  { name, token, holder }: Lease,
): Promise<void> {
  // A write, so that a server that takes over waits for this transaction, or this one for it.
  const held = await transaction
    .updateTable("lease")
    .set({ holder })
    .where("name", "=", name)
    .where("token", "=", token)
    .where("holder", "=", holder)
    .returning("token")
    .executeTakeFirst();
  if (held === undefined)
    throw new Fault("registry/lease-lost", `another server has taken over ${name}`);
}
