import { Fault } from "#core/fault.ts";

/** A datasource that is read over a network, asked for before there is any: the boot reads it later. */
export class NeedsNetwork extends Fault<"datasource/none"> {
  /** Whether an address of the link (169.254.0.0/16) is what it takes, which nobody leases. */
  readonly linkLocal: boolean;

  constructor(name: string, linkLocal: boolean) {
    super("datasource/none", `${name} is read over the network, which is not up yet`);
    this.linkLocal = linkLocal;
  }
}
