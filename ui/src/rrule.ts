// The common recurrence rules (RFC 5545 3.3.10), as the form offers them. A rule
// that says more than the form can is kept as it is.
import { addDays, dayNumber, daysBetween, weekday, type Day } from "./dates";

export type Freq = "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";

export interface Simple {
  freq: Freq;
  interval: number;
  days: string[]; // WEEKLY: MO, TU, …
  monthly: "day" | "nth" | "last"; // MONTHLY: the 12th; the second Tuesday; the last Tuesday
  count: number; // 0: no count
  until: Day; // "": no end
}

export const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

export function simple(start: Day, freq: Freq): Simple {
  return { freq, interval: 1, days: [weekdays[weekday(start)]!], monthly: "day", count: 0, until: "" };
}

const nth = (d: Day) => Math.floor((Number(dayNumber(d)) - 1) / 7) + 1;
const isLast = (d: Day) => addDays(d, 7).slice(5, 7) !== d.slice(5, 7);

/** The form's reading of a rule, or null where the form cannot say all of it. */
export function parse(rule: string, start: Day): Simple | null {
  const out = simple(start, "DAILY");
  const day = weekdays[weekday(start)]!;
  const parts = new Map<string, string>();
  for (const p of rule.toUpperCase().split(";")) {
    const [k, v] = p.split("=");
    if (!k || !v) return null;
    parts.set(k, v);
  }
  const freq = parts.get("FREQ");
  if (freq !== "DAILY" && freq !== "WEEKLY" && freq !== "MONTHLY" && freq !== "YEARLY") return null;
  out.freq = freq;
  for (const [k, v] of parts) {
    switch (k) {
      case "FREQ":
      case "WKST":
        break;
      case "INTERVAL":
        out.interval = Number(v);
        break;
      case "COUNT":
        out.count = Number(v);
        break;
      case "UNTIL": {
        const m = /^(\d{4})(\d\d)(\d\d)/.exec(v);
        if (!m) return null;
        out.until = `${m[1]}-${m[2]}-${m[3]}`;
        break;
      }
      case "BYDAY":
        if (freq === "WEEKLY" && v.split(",").every((d) => weekdays.includes(d))) out.days = v.split(",");
        else if (freq === "MONTHLY" && v === `${nth(start)}${day}`) out.monthly = "nth";
        else if (freq === "MONTHLY" && v === `-1${day}` && isLast(start)) out.monthly = "last";
        else return null;
        break;
      case "BYMONTHDAY":
        if ((freq !== "MONTHLY" && freq !== "YEARLY") || v !== dayNumber(start)) return null;
        break;
      case "BYMONTH":
        if (freq !== "YEARLY" || Number(v) !== Number(start.slice(5, 7))) return null;
        break;
      default:
        return null;
    }
  }
  if (parts.has("WKST") && parts.get("WKST") !== "MO" && freq === "WEEKLY" && out.interval > 1) return null;
  return out;
}

/** The rule; the server makes the date of UNTIL into the instant that a time with a zone needs. */
export function rule(s: Simple, start: Day): string {
  const out = ["FREQ=" + s.freq];
  if (s.interval > 1) out.push("INTERVAL=" + s.interval);
  const day = weekdays[weekday(start)]!;
  if (s.freq === "WEEKLY" && (s.days.length > 1 || (s.days.length === 1 && s.days[0] !== day))) {
    out.push("BYDAY=" + weekdays.slice(1).concat("SU").filter((d) => s.days.includes(d)).join(","));
  }
  if (s.freq === "MONTHLY" && s.monthly !== "day") out.push(`BYDAY=${s.monthly === "last" ? -1 : nth(start)}${day}`);
  if (s.count > 0) out.push("COUNT=" + s.count);
  else if (s.until) out.push("UNTIL=" + s.until.replaceAll("-", ""));
  return out.join(";");
}

/** The rule for a series whose first day moves: what was said of the old first day is said of the new one. */
export function follow(text: string, from: Day, to: Day): string {
  const s = parse(text, from);
  if (!s) return text;
  const was = weekdays[weekday(from)]!;
  if (s.days.length === 1 && s.days[0] === was) s.days = [weekdays[weekday(to)]!];
  if (s.monthly === "last" && !isLast(to)) s.monthly = "nth";
  if (s.until && s.until < to) s.until = addDays(to, Math.max(0, daysBetween(from, s.until)));
  return rule(s, to);
}

const ordinals = ["first", "second", "third", "fourth", "fifth"];

export function monthlyChoices(start: Day, name: string): [Simple["monthly"], string][] {
  const out: [Simple["monthly"], string][] = [["day", "on day " + dayNumber(start)], ["nth", `on the ${ordinals[nth(start) - 1]} ${name}`]];
  if (isLast(start)) out.push(["last", `on the last ${name}`]);
  return out;
}
