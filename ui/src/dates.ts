// Clock readings and dates are text, as the server sends them: "2026-11-20" and
// "2026-11-20T09:30". The server places them in the zone asked for, so nothing
// here knows about zones; arithmetic on days uses UTC, where all days are alike.

export type Day = string;
export type Wall = string;

const english = navigator.languages.find((l) => l.startsWith("en")) ?? "en-GB";

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

function utc(day: Day): Date {
  return new Date(day.slice(0, 10) + "T00:00:00Z");
}

export function dayOf(date: Date): Day {
  return date.toISOString().slice(0, 10);
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(utc(text).getTime());
}

export function addDays(day: Day, n: number): Day {
  const d = utc(day);
  d.setUTCDate(d.getUTCDate() + n);
  return dayOf(d);
}

/** The same day n months on, or the last day of that month. */
export function addMonths(day: Day, n: number): Day {
  const d = utc(day);
  const wanted = d.getUTCDate();
  d.setUTCDate(1);
  d.setUTCMonth(d.getUTCMonth() + n);
  const last = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate();
  d.setUTCDate(Math.min(wanted, last));
  return dayOf(d);
}

export function daysBetween(from: Day, to: Day): number {
  return Math.round((utc(to).getTime() - utc(from).getTime()) / 86_400_000);
}

/** 0 is Sunday. */
export function weekday(day: Day): number {
  return utc(day).getUTCDay();
}

type WeekInfo = { firstDay: number };

function localeFirstDay(): number {
  const locale = new Intl.Locale(english) as Intl.Locale & { getWeekInfo?: () => WeekInfo; weekInfo?: WeekInfo };
  const first = (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay;
  return first === undefined ? 1 : first % 7;
}

export const firstDay = localeFirstDay();

export function startOfWeek(day: Day): Day {
  return addDays(day, -((weekday(day) - firstDay + 7) % 7));
}

export function startOfMonth(day: Day): Day {
  return day.slice(0, 8) + "01";
}

export function dateOf(wall: Wall): Day {
  return wall.slice(0, 10);
}

/** Minutes since midnight. */
export function minutesOf(wall: Wall): number {
  return wall.length < 16 ? 0 : Number(wall.slice(11, 13)) * 60 + Number(wall.slice(14, 16));
}

export function wallAt(day: Day, minutes: number): Wall {
  const d = addDays(day, Math.floor(minutes / 1440));
  const m = ((minutes % 1440) + 1440) % 1440;
  return `${d}T${String(Math.floor(m / 60)).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`;
}

export function addMinutes(wall: Wall, minutes: number): Wall {
  return wallAt(dateOf(wall), minutesOf(wall) + minutes);
}

/** Minutes of clock time from a to b. */
export function minutesBetween(a: Wall, b: Wall): number {
  return daysBetween(a, b) * 1440 + minutesOf(b) - minutesOf(a);
}

function wallDate(wall: Wall): Date {
  return new Date((wall.length > 10 ? wall.slice(0, 16) : wall + "T00:00") + ":00Z");
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  let f = formats.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat(english, { timeZone: "UTC", ...options });
    formats.set(key, f);
  }
  return f;
}

export const longDay = (d: Day) => format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(utc(d));
export const shortDay = (d: Day) => format({ weekday: "short", day: "numeric", month: "short" }).format(utc(d));
export const dayAndMonth = (d: Day) => format({ day: "numeric", month: "long" }).format(utc(d));
export const weekdayLong = (d: Day) => format({ weekday: "long" }).format(utc(d));
export const weekdayShort = (d: Day) => format({ weekday: "short" }).format(utc(d));
export const monthAndYear = (d: Day) => format({ month: "long", year: "numeric" }).format(utc(d));
export const monthShort = (d: Day) => format({ month: "short" }).format(utc(d));
export const dayNumber = (d: Day) => String(utc(d).getUTCDate());

const twelve = new Intl.DateTimeFormat(english, { hour: "numeric" }).resolvedOptions().hour12 === true;
const time: Intl.DateTimeFormatOptions = twelve ? { hour: "numeric", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit" };

export const clock = (w: Wall) => format(time).format(wallDate(w));
export const hourLabel = (h: number) => format(twelve ? { hour: "numeric" } : time).format(new Date(h * 3_600_000));

/** "09:00 – 10:30", "1:00 – 2:30 PM": two times of day, whatever their days. */
export const clockRange = (a: Wall, b: Wall) =>
  minutesOf(a) === minutesOf(b) ? clock(a) : minutesOf(a) < minutesOf(b)
    ? format(time).formatRange(wallDate(wallAt("2026-01-01", minutesOf(a))), wallDate(wallAt("2026-01-01", minutesOf(b))))
    : `${clock(a)} – ${clock(b)}`;

/** "Friday 20 November 2026, 09:00 – 10:00"; all-day ends are the day after the last. */
export function whenText(start: Wall, end: Wall, allDay: boolean): string {
  if (allDay) {
    const last = addDays(end, -1);
    return last <= start ? longDay(start) : `${longDay(start)} – ${longDay(last)}`;
  }
  if (dateOf(start) === dateOf(end)) {
    return start === end ? `${longDay(start)}, ${clock(start)}` : `${longDay(start)}, ${clockRange(start, end)}`;
  }
  return `${longDay(start)}, ${clock(start)} – ${longDay(end)}, ${clock(end)}`;
}

export function weekTitle(first: Day): string {
  const last = addDays(first, 6);
  if (first.slice(0, 7) === last.slice(0, 7)) return monthAndYear(first);
  if (first.slice(0, 4) === last.slice(0, 4)) return `${monthShort(first)} – ${monthShort(last)} ${last.slice(0, 4)}`;
  return `${monthShort(first)} ${first.slice(0, 4)} – ${monthShort(last)} ${last.slice(0, 4)}`;
}

/** The present clock reading in a zone the browser knows; its own zone otherwise. */
export function nowIn(zone: string): Wall {
  let f: Intl.DateTimeFormat;
  const options: Intl.DateTimeFormatOptions = {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  };
  try {
    f = new Intl.DateTimeFormat("en-CA", { ...options, timeZone: zone });
  } catch {
    f = new Intl.DateTimeFormat("en-CA", options);
  }
  const p = Object.fromEntries(f.formatToParts(new Date()).map((x) => [x.type, x.value]));
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

/** An instant (RFC 3339) in words, in the browser's zone. */
export function instantText(instant: string): string {
  return new Intl.DateTimeFormat(english, { dateStyle: "medium", timeStyle: "short" }).format(new Date(instant));
}

export function wallText(wall: Wall): string {
  return wall.length <= 10 ? longDay(wall) : `${longDay(wall)}, ${clock(wall)}`;
}
