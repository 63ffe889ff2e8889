/** Addresses: the path says the page, the search what it shows. Kept small: the console has a dozen pages. */

import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { useCallback, useMemo, useSyncExternalStore } from "react";

const CHANGED = "glulam:navigated";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  history[options.replace ? "replaceState" : "pushState"](null, "", to);
  window.dispatchEvent(new Event(CHANGED));
}

/** The parts of the path, decoded. */
export function usePath(): string[] {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  return useMemo(() => path.split("/").filter(Boolean).map(decodeURIComponent), [path]);
}

/** The search, and how to change some of its words. */
export function useSearch(): [URLSearchParams, (change: Record<string, string | string[] | null>) => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const set = useCallback((change: Record<string, string | string[] | null>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(change)) {
      next.delete(name);
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== null && one !== "") next.append(name, one);
      }
    }
    const text = next.toString();
    navigate(location.pathname + (text ? `?${text}` : ""), { replace: true });
  }, []);
  return [useMemo(() => new URLSearchParams(search), [search]), set];
}

export function path(...parts: string[]): string {
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={go} {...rest} />;
}
