/** Addresses: the path says the page, the search what it shows. Kept small: the console has a dozen pages. */

import type { AnchorHTMLAttributes, HTMLAttributes, MouseEvent } from "react";
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

/** Where a link leads: a page of the console, another site, or nowhere. Links come from dashboards and data, too. */
export type Aim = { kind: "own"; to: string } | { kind: "other"; to: string } | { kind: "none" };

export function aim(href: string): Aim {
  let url: URL;
  try {
    url = new URL(href, location.origin);
  } catch {
    return { kind: "none" };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return { kind: "none" };
  return url.origin === location.origin ? { kind: "own", to: url.pathname + url.search } : { kind: "other", to: url.href };
}

/** Goes to a page of the console; another site is opened beside it, and what is no address of the web is not followed. */
export function navigate(href: string, options: { replace?: boolean } = {}): void {
  const found = aim(href);
  if (found.kind === "other") window.open(found.to, "_blank", "noopener,noreferrer");
  if (found.kind !== "own") return;
  const { to } = found;
  if (to === location.pathname + location.search) return;
  history[options.replace ? "replaceState" : "pushState"](null, "", to);
  window.dispatchEvent(new Event(CHANGED));
}

/** The parts of a path, decoded; one that cannot be decoded stays as it is. */
export function parts(path: string): string[] {
  return path.split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** The parts of the path. */
export function usePath(): string[] {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  return useMemo(() => parts(path), [path]);
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
  const found = aim(href);
  if (found.kind === "none") return <span {...(rest as HTMLAttributes<HTMLSpanElement>)} title="This link leads to no page of the web" />;
  if (found.kind === "other") return <a href={found.to} onClick={onClick} target="_blank" rel="noopener noreferrer" {...rest} />;
  const go = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    navigate(href);
  };
  return <a href={href} onClick={go} {...rest} />;
}
