import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Calendar, Me } from "./api";
import { dateOf, isDay, nowIn, type Day } from "./dates";

/** What every page knows. */
export interface App {
  me: Me;
  zone: string;
  calendars: Calendar[];
  counts: { invitations: number; held: number };
  /** Grows with each change of one's data; an effect that reads data depends on it. */
  version: number;
  refresh(): void;
  /** Says a sentence to everyone, screen readers too. */
  say(sentence: string, tone?: "good" | "bad"): void;
  /** The same, with a button that takes the change back while its messages wait. */
  sayUndo(sentence: string, owner: string, uid: string, back?: () => Promise<string>): void;
  setMe(me: Me): void;
}

export const AppContext = createContext<App>(undefined as unknown as App);
export const useApp = () => useContext(AppContext);

export type View = "day" | "week" | "month" | "list";
export const views: View[] = ["day", "week", "month", "list"];

export type Route =
  | { page: "calendar"; view: View; day: Day }
  | { page: "invitations" }
  | { page: "messages" }
  | { page: "account" }
  | { page: "rooms" }
  | { page: "sharing" }
  | { page: "mail" };

const narrow = matchMedia("(max-width: 40rem)");

export function parseRoute(path: string, zone: string): Route {
  const [, page, a, b] = path.split("/");
  if (page === "invitations" || page === "messages" || page === "account" || page === "rooms" || page === "sharing" || page === "mail") return { page };
  let view: View = narrow.matches ? "list" : "week";
  const last = remembered("view");
  if (views.includes(last as View)) view = last as View;
  if (page === "calendar" && views.includes(a as View)) view = a as View;
  return { page: "calendar", view, day: page === "calendar" && b && isDay(b) ? b : dateOf(nowIn(zone)) };
}

export function go(path: string): void {
  if (path !== location.pathname) history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function usePath(): string {
  const [path, set] = useState(location.pathname);
  useEffect(() => {
    const update = () => set(location.pathname);
    addEventListener("popstate", update);
    return () => removeEventListener("popstate", update);
  }, []);
  return path;
}

/** What a browser keeps between visits; nothing when it will not. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem("convene." + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem("convene." + key, value);
  } catch {
    // A browser without storage starts anew each time.
  }
}
