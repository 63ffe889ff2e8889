/** Parts of the console whose code comes when it is needed. */

import { type ComponentType, type ReactNode, useEffect, useState } from "react";

/** A component whose code may not be here yet. */
export interface OnDemand<P> {
  (props: P): ReactNode;
  /** Lets the code come before the component is shown. */
  load: () => Promise<void>;
}

/**
 * A component that is shown as soon as its code is here, and `meanwhile` until then. What React's `lazy` shows meanwhile
 * stays for 300 ms at least, however soon the code comes.
 */
export function onDemand<P extends object>(load: () => Promise<{ default: ComponentType<P> }>, meanwhile: ReactNode): OnDemand<P> {
  let found: ComponentType<P> | null = null;
  let coming: Promise<void> | null = null;
  const come = () => {
    coming ??= load().then((part) => { found = part.default; }, (error: unknown) => {
      // Asked for again, it may come.
      coming = null;
      throw error;
    });
    return coming;
  };
  function Shown(props: P) {
    const [, tell] = useState(0);
    const isHere = found !== null;
    useEffect(() => {
      if (isHere) return;
      come().then(() => tell((n) => n + 1), (error: unknown) => tell(() => { throw error; }));
    }, [isHere]);
    const Part = found;
    return Part ? <Part {...props} /> : meanwhile;
  }
  return Object.assign(Shown, { load: come });
}
