/**
 * The tables of the registry, as both engines have them. Times are milliseconds since 1970, truth values
 * 0 and 1, documents JSON in text. What nodes say freely stands in documents alone, where control
 * characters are escaped: PostgreSQL holds no NUL in a text.
 */
export interface Tables {
  node: NodeTable;
  report: ReportTable;
  stream: StreamTable;
  event: EventTable;
  outcome: OutcomeTable;
  refusal: RefusalTable;
  node_group: GroupTable;
  release: ReleaseTable;
  rollout: RolloutTable;
  rollout_node: RolloutNodeTable;
  rollout_event: RolloutEventTable;
  desired: DesiredTable;
  lease: LeaseTable;
}

export interface NodeTable {
  fleet: string;
  node: string;
  joined_ms: number;
  /** When something was heard of it last. */
  seen_ms: number;
  labels: string;
  cordoned: number;
  retired: number;
  online: number;
  /** The outbox that it writes from; the highest number in `stream`. */
  outbox: string | null;
  agent: string | null;
  platform: string | null;
  hardware: string | null;
  datasource: string | null;
  facts_digest: string | null;
  timezone: string | null;
  /** What it said last of an update. */
  update_id: string | null;
  update_state: string | null;
  /** The node's own number of the change by which it came to its release, or left it. */
  update_seq: number;
  /** The release that it committed last; none when it went back from it since. */
  release_name: string | null;
  release_number: number | null;
}

/** The newest message on each topic that is no event. */
export interface ReportTable {
  fleet: string;
  node: string;
  topic: string;
  outbox: string;
  session: number;
  /** A last will is the last of its session, whatever its number. */
  seq: number;
  received_ms: number;
  body: string;
}

/** An outbox of a node. A name belongs to one node for ever. */
export interface StreamTable {
  stream: string;
  fleet: string;
  node: string;
  /** In the order of their appearance at this node. */
  number: number;
  up_to: number;
  highest: number;
  /** Of the newest gap that the node told of. */
  gap_seq: number;
  gap_dropped: number;
  gap_first: number;
  gap_last: number;
  /** Events that this registry has had, or should have had, and that the node has let go. */
  lost: number;
}

export interface EventTable {
  stream: string;
  seq: number;
  fleet: string;
  node: string;
  id: string;
  kind: string;
  at: string;
  received_ms: number;
  body: string;
}

export interface OutcomeTable {
  stream: string;
  seq: number;
  fleet: string;
  node: string;
  kind: string;
  outcome: string;
  at: string;
  update_id: string | null;
}

/** Messages that were not taken, counted. */
export interface RefusalTable {
  fleet: string;
  node: string;
  reason: string;
  count: number;
  last_ms: number;
}

export interface GroupTable {
  fleet: string;
  name: string;
  selector: string;
}

export interface ReleaseTable {
  fleet: string;
  name: string;
  number: number;
  sha256: string;
  /** The signed description, as it was published. */
  document: string;
  added_ms: number;
}

export interface RolloutTable {
  fleet: string;
  name: string;
  revision: number;
  /** Whether it may still change something. */
  live: number;
  header: string;
  started_ms: number;
}

export interface RolloutNodeTable {
  fleet: string;
  rollout: string;
  node: string;
  wave: number;
  direction: string;
  update_id: string;
  attempt: number;
  state: string;
  since_ms: number;
  active_ms: number;
  from_name: string | null;
  from_number: number | null;
}

export interface RolloutEventTable {
  fleet: string;
  rollout: string;
  seq: number;
  at_ms: number;
  body: string;
}

/** What a node shall have, and how much of it the node was told. */
export interface DesiredTable {
  fleet: string;
  node: string;
  revision: number;
  published: number;
  rollout: string;
  /** `null` when nothing is desired of it. */
  update_id: string | null;
  release_name: string | null;
  release_number: number | null;
  urgent: number;
  at_ms: number;
}

export interface LeaseTable {
  name: string;
  holder: string;
  /** Grows with each holder. */
  token: number;
  until_ms: number;
}
