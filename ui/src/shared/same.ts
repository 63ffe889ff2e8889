/** Values that stay the same object as long as they say the same. */

import { replaceEqualDeep } from "@tanstack/react-query";
import { useRef } from "react";

/** The value of the last time where this one equals it, so that nothing that depends on it is made anew. */
export function useSame<T>(value: T): T {
  const kept = useRef(value);
  kept.current = replaceEqualDeep(kept.current, value);
  return kept.current;
}
