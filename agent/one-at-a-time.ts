/** The same work, but each begins when the one before has ended, in the order in which they were asked for. */
export function oneAtATime<A, R>(work: (each: A) => Promise<R>): (each: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (each) => {
    const done = last.then(() => work(each));
    last = done.catch(() => undefined);
    return done;
  };
}
