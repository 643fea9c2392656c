/** Sets a key as the object's own, whatever its name: `__proto__` is a name like any other. */
export function setOwn<V>(target: { [key: string]: V }, key: string, value: V): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    target[key] = value;
  }
}

/** The value of an own key; never something inherited such as `constructor`. */
export function getOwn<V>(target: { readonly [key: string]: V }, key: string): V | undefined {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}
